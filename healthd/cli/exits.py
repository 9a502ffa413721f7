"""How a command ends when it does not end well."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """Exit statuses. From 64 on they are those of sysexits.h; below they belong to each command."""

    OK = 0
    FAILED = 1
    USAGE = 64
    NO_MATCH = 66  # no such service or server
    UNAVAILABLE = 69  # no IPVS in this kernel, or no daemon that answers
    DAEMON_FAILED = 70  # the daemon answered, but not what was asked for
    CANNOT_LISTEN = 71  # a socket of [control] cannot be made
    TABLE_REFUSED = 74  # an edit of the table was refused, or counters could not be kept
    LOCKED = 75  # not now: another healthd holds the table, or the daemon refuses the act without --force
    NOT_PERMITTED = 77
    BAD_CONFIGURATION = 78
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it
    READER_GONE = 141  # 128 + SIGPIPE


class Problem(Exception):  # noqa: N818 - not an error of the program
    """The command cannot go on, for reasons of which each is one line for the user."""

    def __init__(self, status: Exit, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.status = status
        self.messages = messages


class ReaderGone(Exception):  # noqa: N818 - named for what happened
    """Nobody reads standard output any more: `healthd ... | head` has seen enough."""
