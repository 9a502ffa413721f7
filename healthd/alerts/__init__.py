"""Events become messages: `router` says which alert wants what, `channel` collects and delivers, one file per sink.

Nothing here is waited for by the rest of healthd. A sink that hangs or fails costs its own messages and no others.
"""
