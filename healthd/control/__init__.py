"""The control interface: asking a running healthd, and telling it what to do, over a unix socket and over TCP.

`routes` says what can be asked; the description for programs at /openapi.json is made of the same table. What the
other rooms provide is named in `sources`; the ones that may be absent are None there. Nothing here decides anything:
what is shown comes from the controller's snapshot, and every act goes to the operator.

Rules:

1. Every peer is hostile: connections, sizes, times and memory are bounded before anything is understood.
2. Work for a large answer is done in slices of a few milliseconds, one answer at a time, so that checks go on.
3. An answer is prepared before its first byte is sent, so that an error is an error and not half an answer.
"""
