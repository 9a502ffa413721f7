"""What a DNS message comes to: a reply, or none. Apart from dnswire.py, whose import takes a tenth of a second."""

from dataclasses import dataclass


class NotAnAnswer(Exception):  # noqa: N818 - named for what it says about a message
    """A message is broken, or does not answer the question that was asked."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`records` are the texts of those records in the answer section that are of the asked type.

    `beside` is what else an answer told that was asked for, for people: the name of the server, an error of TSIG.
    """

    rcode: str
    truncated: bool
    records: tuple[str, ...]
    matched: str | None
    """The first record equal to the expected one; None when there is none, or none was expected."""
    beside: str = ""
