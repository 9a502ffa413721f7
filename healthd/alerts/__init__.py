"""Events become messages: `router` hands them to each alert, whose `channel` asks its `ledger` what is to be told,
collects, and gives messages to its `delivery`, which keeps them in a `spool` until a sink has delivered them.

Nothing here is waited for by the rest of healthd. A sink that hangs or fails costs its own messages and no others.
"""
