"""The `redis` check's reading of replies and of INFO, and servers that are none."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.base import Code, OptionError, Status
from checkers.redis import Redis
from checkers.resp import LONGEST_BULK, LONGEST_LINE, MalformedError, Reply, command, fields, take
from tests.checkers.asking import ask
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at, saying


def test_commands() -> None:
    """Any byte may stand in a word: a password with a line's end in it is still one word."""
    assert command(b"AUTH", b"a b\r\n") == b"*2\r\n$4\r\nAUTH\r\n$5\r\na b\r\n\r\n"


@pytest.mark.parametrize(
    ("received", "reply", "after"),
    [
        (b"+PONG\r\n", Reply("+", b"PONG"), b""),
        (b"-ERR no\r\n+OK\r\n", Reply("-", b"ERR no"), b"+OK\r\n"),
        (b":12\r\n", Reply(":", b"12"), b""),
        (b"$5\r\na\r\nbc\r\nx", Reply("$", b"a\r\nbc"), b"x"),
        (b"$0\r\n\r\n", Reply("$", b""), b""),
        (b"$-1\r\n", Reply("$", b""), b""),
    ],
)
def test_replies(received: bytes, reply: Reply, after: bytes) -> None:
    """Each is taken as soon as it is whole, and not before."""
    assert take(received) == (reply, after)
    whole = len(received) - len(after)
    assert all(take(received[:end]) is None for end in range(whole))


@pytest.mark.parametrize(
    ("received", "text"),
    [
        (b"HTTP/1.1 400", 'expected a reply of Redis, received "HTTP/1.1 400"'),
        (b"*1\r\n$4\r\nPONG\r\n", "expected a reply of Redis"),
        (b"$x\r\n", f'expected the length of a text, up to {LONGEST_BULK}, received "x"'),
        (b"$-2\r\n", "expected the length of a text"),
        (b"$16385\r\n", "expected the length of a text, up to 16384"),
        (b"$999999999999999999\r\n", "expected the length of a text"),
        (b"$2\r\nabc\r\n", "a text of 2 bytes goes on"),
        (b"+" + b"x" * LONGEST_LINE, f"a line of more than {LONGEST_LINE} bytes"),
    ],
)
def test_no_replies(received: bytes, text: str) -> None:
    """What can become none is refused at once, and an enormous length costs nothing."""
    with pytest.raises(MalformedError, match=text.replace("$", r"\$")):
        take(received)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.from_regex(rb"[+:$-][0-9a-z\r\n-]{0,40}", fullmatch=True)))
def test_any_bytes(received: bytes) -> None:
    """No other exception than the documented one; what is taken was there."""
    try:
        taken = take(received)
    except MalformedError:
        return
    if taken is not None:
        reply, after = taken
        assert received.endswith(after)
        assert len(reply.data) + len(after) < len(received)
        str(reply)
        fields(reply.data)


def test_info() -> None:
    """Only lines with a colon count; a value may hold further ones."""
    info = b"# Replication\r\nrole:slave\r\nslave0:ip=::1,port=7\r\n\r\nmaster_link_status:up\r\nrole2\r\n"
    assert fields(info) == {"role": "slave", "slave0": "ip=::1,port=7", "master_link_status": "up"}


def info(*lines: str) -> list[bytes]:
    text = "\r\n".join(("# Replication", *lines, "")).encode()
    return [b"+PONG\r\n", b"$%d\r\n%b\r\n" % (len(text), text)]


MASTER = ("master_host:10.0.0.1", "master_port:6379")


@pytest.mark.parametrize(
    ("options", "lines", "told"),
    [
        ({"role": "master"}, ("role:master", "connected_slaves:2"), "L7OK it is a master with 2 replicas"),
        ({"role": "master"}, ("role:sentinel",), 'L7RSP INFO: expected the role to be master or slave, not "sentinel"'),
        ({"role": "master"}, (), 'L7RSP INFO: expected the role to be master or slave, not ""'),
        (
            {"role": "replica"},
            ("role:slave", *MASTER, "master_link_status:up", "master_last_io_seconds_ago:4"),
            'L7OK it is a replica, 4 s ago in touch with its master "10.0.0.1" port 6379',
        ),
        (
            {"role": "replica", "max_lag": "4s"},
            ("role:slave", *MASTER, "master_link_status:up", "master_last_io_seconds_ago:4"),
            'L7OK it is a replica, 4 s ago in touch with its master "10.0.0.1" port 6379',
        ),
        (
            {"role": "replica", "max_lag": "4s"},
            ("role:slave", *MASTER, "master_link_status:up", "master_last_io_seconds_ago:5"),
            'L7RSP it is a replica that heard of its master "10.0.0.1" port 6379 5 s ago, limit 4s',
        ),
        (
            {"role": "replica", "max_lag": "4s"},
            ("role:slave", *MASTER, "master_link_status:up", "master_last_io_seconds_ago:-1"),
            'L7RSP it is a replica that heard of its master "10.0.0.1" port 6379 -1 s ago, limit 4s',
        ),
        (
            {"role": "replica"},
            ("role:slave", *MASTER, "master_link_status:down", "master_link_down_since_seconds:77"),
            'L7RSP it is a replica whose link to its master "10.0.0.1" port 6379 is down, for 77 s',
        ),
    ],
)
async def test_roles(tcp_server: TcpServer, options: dict[str, Any], lines: tuple[str, ...], told: str) -> None:
    """What INFO must say for each role, and what is told when it does not."""
    outcome = await ask(Redis(**options), await at(tcp_server, saying(*info(*lines), pause=0.02)))
    assert str(outcome) == told


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"+PANG\r\n", 'L7RSP PING: expected PONG, received "PANG"'),
        (b":1\r\n", 'L7RSP PING: expected PONG, received ":1"'),
        (b"-LOADING Redis is loading\r\n", 'L7STS PING: answered "LOADING Redis is loading"'),
        (b"SSH-2.0-x\r\n", 'L7RSP PING: expected a reply of Redis, received "SSH-2.0-x\\r\\n"'),
    ],
)
async def test_other_servers(tcp_server: TcpServer, said: bytes, told: str) -> None:
    """An error is told apart from nonsense."""
    assert str(await ask(Redis(), await at(tcp_server, saying(said)))) == told


async def test_early_close_and_silence(tcp_server: TcpServer) -> None:
    """Neither hangs longer than the deadline."""

    async def closing(reader: Any, writer: Any) -> None:
        await reader.readexactly(len(command(b"PING")))
        writer.write(b"+PO")

    closed = await ask(Redis(), await at(tcp_server, closing))
    assert str(closed) == 'L7RSP PING: connection closed before the answer, received "+PO"'
    dripping = await ask(Redis(), await at(tcp_server, saying(*[b"+"] + [b"P"] * 99, pause=0.02)), 0.3)
    assert (dripping.status, dripping.code) == (Status.FAIL, Code.L7TOUT)


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"max_lag": "5s"}, "max_lag", 'needs role = "replica": only a replica lags behind'),
        ({"max_lag": "5", "role": "replica"}, "max_lag", 'expected a duration such as "50ms", "5s" or "14d", not "5"'),
        ({"user": "probe"}, "user", "needs password_file, the path of a file that holds the password"),
    ],
)
def test_bad_options(options: dict[str, Any], option: str, message: str) -> None:
    """What cannot work is refused when the check is made."""
    with pytest.raises(OptionError) as caught:
        Redis(**options)
    assert (caught.value.option, str(caught.value)) == (option, message)


def test_the_password_is_not_shown(tmp_path: Path) -> None:
    """Neither in a repr nor anywhere near one."""
    (tmp_path / "password").write_text("s3cret\n")
    assert "s3cret" not in repr(Redis(password_file=str(tmp_path / "password")))
