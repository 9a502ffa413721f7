"""The `memcached` check against servers that are none."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.base import Code, Status
from checkers.memcached import Memcached, versioned
from checkers.replies import LONGEST_LINE, MalformedError
from tests.checkers.asking import ask
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at, saying


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"VERSION 1.6.18\r\n", 'L7OK answered "VERSION 1.6.18"'),
        (
            b"CLIENT_ERROR unauthenticated\r\n",
            'L7STS version: answered "CLIENT_ERROR unauthenticated"; expected VERSION',
        ),
        (b"ERROR\r\n", 'L7STS version: answered "ERROR"; expected VERSION'),
        (b"VERSION\r\n", 'L7RSP version: expected a line such as "VERSION 1.6.18", received "VERSION"'),
        (b"-ERR x\r\n", 'L7RSP version: expected a line such as "VERSION 1.6.18", received "-ERR x"'),
    ],
)
async def test_answers(tcp_server: TcpServer, said: bytes, told: str) -> None:
    """A version passes, an error of memcached and another server's words are told apart."""
    assert str(await ask(Memcached(), await at(tcp_server, saying(said)))) == told


async def test_endless_line(tcp_server: TcpServer) -> None:
    """It is read up to a bound."""
    outcome = await ask(Memcached(), await at(tcp_server, saying(b"VERSION " + b"1" * 2 * LONGEST_LINE)))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP)
    assert f"a line of more than {LONGEST_LINE} bytes" in outcome.detail


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_line(line: bytes) -> None:
    """No other exception than the documented one."""
    with contextlib.suppress(MalformedError):
        assert versioned([line]) in {"VERSION", "ERROR", "CLIENT_ERROR", "SERVER_ERROR"}
