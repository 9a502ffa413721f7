from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.replies import (
    LONGEST_LINE,
    Grammar,
    LineBuffer,
    MalformedError,
    Reply,
    coded,
    framed,
    indicated,
    single,
    tagged,
    untagged,
)


def statuses(grammar: Grammar, text: bytes) -> list[str | None]:
    """What the grammar says after each line of the text."""
    lines = text.split(b"\n")
    return [grammar(lines[: count + 1]) for count in range(len(lines))]


@pytest.mark.parametrize(
    ("grammar", "text", "status"),
    [
        (coded, b"220 mail.example.com ESMTP", "220"),
        (coded, b"250", "250"),
        (coded, b"250 ", "250"),
        (coded, b"220-mail.example.com\n220-be patient\n220 ready", "220"),
        (framed, b"230-Welcome\n 230 files\n\n220 here\n230 Go on", "230"),
        (framed, b"211-Features\n MDTM\n211 End", "211"),
        (framed, b"220 ready", "220"),
        (single, b"200 news.example.com ready", "200"),
        (single, b"205", "205"),
        (indicated, b"+OK ready <1896.697170952@example.com>", "+OK"),
        (indicated, b"-ERR [AUTH] no", "-ERR"),
        (indicated, b"+OK", "+OK"),
        (untagged, b"* OK IMAP4rev2 ready", "OK"),
        (untagged, b"* preauth hello", "PREAUTH"),
        (untagged, b"* BYE too busy", "BYE"),
        (tagged(b"login"), b"* CAPABILITY IMAP4rev2\n* OK [ALERT] hear\nlogin OK done", "OK"),
        (tagged(b"login"), b"LOGIN no not so", "NO"),
        (tagged(b"login"), b"login BAD what", "BAD"),
        (tagged(b"login"), b"+ go on", "+"),
        (tagged(b"login"), b"+", "+"),
        (tagged(b"login"), b"* 3 EXISTS\n* BYE shutting down", "BYE"),
    ],
)
def test_a_reply_ends_with_its_last_line(grammar: Grammar, text: bytes, status: str) -> None:
    """Not one line earlier."""
    *before, last = statuses(grammar, text)
    assert before == [None] * len(before)
    assert last == status


@pytest.mark.parametrize(
    ("grammar", "text", "message"),
    [
        (coded, b"HTTP/1.1 200 OK", 'expected a reply such as "220 text", received "HTTP/1.1 200 OK"'),
        (coded, b"22 ready", 'expected a reply such as "220 text", received "22 ready"'),
        (coded, b"2200 ready", 'expected a reply such as "220 text", received "2200 ready"'),
        (coded, b"620 ready", 'expected a reply such as "220 text", received "620 ready"'),
        (coded, b"250-one\n251 two", 'expected a line with the code 250, received "251 two"'),
        (coded, b"250-one\ntwo", 'expected a line with the code 250, received "two"'),
        (framed, b" 220 ready", 'expected a reply such as "220 text", received " 220 ready"'),
        (single, b"200-more", 'expected a reply such as "200 text", received "200-more"'),
        (indicated, b"+OKAY", 'expected +OK or -ERR, received "+OKAY"'),
        (indicated, b"+ok", 'expected +OK or -ERR, received "+ok"'),
        (untagged, b"* NO", 'expected a greeting such as "* OK text", received "* NO"'),
        (tagged(b"a"), b"b OK done", 'expected an answer to a, such as "a OK text", received "b OK done"'),
        (tagged(b"a"), b"a OKAY", 'expected an answer to a, such as "a OK text", received "a OKAY"'),
    ],
)
def test_what_is_no_reply_is_shown(grammar: Grammar, text: bytes, message: str) -> None:
    """With what was expected instead."""
    with pytest.raises(MalformedError) as caught:
        statuses(grammar, text)
    assert str(caught.value) == message


def test_a_reply_shows_its_last_line() -> None:
    """It says most; the lines before it are in `lines`."""
    assert str(Reply("250", (b"250-one", b"250 t\xffwo\x1b"))) == r'"250 t\xffwo\x1b"'


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20))
def test_any_lines_are_a_reply_or_malformed(lines: list[bytes]) -> None:
    """No other exception comes out of a grammar, whatever a server sends."""
    for grammar in (coded, framed, single, indicated, untagged, tagged(b"login")):
        for count in range(1, len(lines) + 1):
            try:
                status = grammar(lines[:count])
            except MalformedError:
                break
            if status is not None:
                assert status
                break


def test_lines_are_taken_one_by_one() -> None:
    """With CRLF or a bare LF at their ends; what is no whole line yet is held."""
    buffer = LineBuffer()
    buffer.feed(b"one\r\ntwo\n\nfour\rhalf")
    assert [buffer.take(), buffer.take(), buffer.take(), buffer.take()] == [b"one", b"two", b"", None]
    assert buffer.held == b"four\rhalf"
    buffer.feed(b"\r\n")
    assert buffer.take() == b"four\rhalf"
    assert buffer.held == b""


def test_the_longest_line() -> None:
    """One byte more is too much, whether its end has come or not."""
    buffer = LineBuffer()
    buffer.feed(b"x" * (LONGEST_LINE - 1))
    assert buffer.take() is None
    buffer.feed(b"\n")
    assert buffer.take() == b"x" * (LONGEST_LINE - 1)
    buffer.feed(b"x" * LONGEST_LINE + b"\n")
    with pytest.raises(MalformedError, match=r'^a line of more than 4096 bytes, "xxxx'):
        buffer.take()


@given(st.lists(st.binary(max_size=300), max_size=30))
def test_bytes_are_kept_in_any_pieces(pieces: list[bytes]) -> None:
    """The lines are the same, however the bytes come."""
    buffer, lines = LineBuffer(), []
    for piece in pieces:
        buffer.feed(piece)
        try:
            while (line := buffer.take()) is not None:
                lines.append(line)
        except MalformedError:
            return
    whole = b"".join(pieces).split(b"\n")
    assert [*lines, buffer.held] == [*(line.removesuffix(b"\r") for line in whole[:-1]), whole[-1]]
