"""The header of the PROXY protocol: its bytes, and where it stands."""

import asyncio
from typing import Any

import pytest

from checkers.base import Checker, OptionError, Status, Target
from checkers.dialog import Dialog
from checkers.http import Http, Https
from checkers.http_session import HttpSession
from checkers.http_step import HttpStep
from checkers.proxy_header import header
from checkers.tcp import Tcp
from tests.checkers.asking import ask_once
from tests.checkers.certificates import Pki
from tests.checkers.servers import TcpServer

V2_LOCAL = bytes.fromhex("0d0a0d0a000d0a515549540a20000000")


def test_version_1_names_the_addresses() -> None:
    """In the one form of each family, and at most the 107 bytes of section 2.1."""
    target = Target(address="192.0.2.9", port=80)
    assert header("v1", ("192.0.2.1", 56324), target) == b"PROXY TCP4 192.0.2.1 192.0.2.9 56324 80\r\n"
    target = Target(address="fe80::9", port=65535)
    assert header("v1", ("fe80::1%eth0", 65535), target) == b"PROXY TCP6 fe80::1 fe80::9 65535 65535\r\n"
    longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    assert len(header("v1", (longest, 65535), Target(address=longest, port=65535))) <= 107


def test_version_2_says_local() -> None:
    """Sixteen bytes: the signature, version and command, no family, and no addresses."""
    assert header("v2", ("192.0.2.1", 56324), Target(address="192.0.2.9", port=80)) == V2_LOCAL


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_it_comes_first(tcp_server: TcpServer, pki: Pki, version: Any) -> None:
    """Before what any kind sends, TLS included, and even of one that hangs up at once."""
    seen: list[bool] = []
    first: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address, port = writer.get_extra_info("peername")
        expected = header(version, (address, port), target)
        seen.append(await reader.readexactly(len(expected)) == expected)
        first.append(await reader.read(1))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    host, port = await tcp_server(handler)
    target = Target(address=host, port=port)
    for checker in (
        Http(proxy_protocol=version),
        Dialog(proxy_protocol=version, send="hello", expect="200"),
        Https(proxy_protocol=version, ca_file=pki.ca_file),
        HttpSession(proxy_protocol=version, steps=(HttpStep(path="/"), HttpStep(path="/page"))),
    ):
        await ask_once(checker, target)
    assert seen == [True] * 5
    assert first == [b"G", b"h", b"\x16", b"G", b"G"]


async def test_a_connection_that_is_reset_still_brings_it(tcp_server: TcpServer) -> None:
    """What was sent before the reset has arrived: the server finds a whole header in its log, if anything."""
    came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def handler(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        came.set_result(await reader.readexactly(len(V2_LOCAL)))

    host, port = await tcp_server(handler)
    outcome = await ask_once(Tcp(proxy_protocol="v2"), Target(address=host, port=port))
    assert outcome.status is Status.PASS
    assert await came == V2_LOCAL


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (
            Dialog,
            {"protocol": "udp", "send": "a", "expect": "b"},
            "is for TCP: its header stands at the beginning of a stream",
        ),
    ],
)
def test_bad_options(kind: type[Checker], options: dict[str, object], message: str) -> None:
    """Where there is no stream there is no beginning of one."""
    with pytest.raises(OptionError) as caught:
        kind(proxy_protocol="v1", **options)  # type: ignore[call-arg, arg-type]  # as they come from a file
    assert (caught.value.option, str(caught.value)) == ("proxy_protocol", message)
