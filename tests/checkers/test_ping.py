"""The `ping` check, in network namespaces of the tests' own where the kernel's settings matter."""

import contextlib
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers import icmp
from checkers.base import Code, OptionError, Status, Target
from checkers.icmp import V4, V6, Family
from checkers.ping import Ping
from tests.checkers.asking import ENOUGH, ask
from tests.checkers.echoing import LOOPBACK, SILENT, answered, both, either
from tests.checkers.namespace import as_root, in_namespace, lonely


@as_root
@both
@either
def test_loopback_answers(settings: dict[str, str], kind: Family) -> None:
    """An echo comes back on either sort of socket, by both protocols, at every size; the pass tells its time."""

    async def talk() -> None:
        with contextlib.closing(icmp.open_socket(kind)) as sock:
            assert sock.type == (socket.SOCK_DGRAM if settings else socket.SOCK_RAW)
        for size in (16, 17, 56, 1472):
            outcome = await ask(Ping(size=size), Target(address=LOOPBACK[kind]))
            assert (outcome.status, outcome.code) == (Status.PASS, Code.L4OK), outcome
            assert outcome.detail.startswith(f"echo reply from {LOOPBACK[kind]} in ")
            assert 0 < float(outcome.detail.split()[-2]) < ENOUGH * 1000
            assert outcome.detail.endswith(" ms")

    in_namespace(settings, talk)


@as_root
@both
@either
def test_silence(settings: dict[str, str], kind: Family) -> None:
    """A server that does not answer, or is not there, is given up at the deadline."""

    async def talk() -> None:
        outcome = await ask(Ping(), Target(address=LOOPBACK[kind]), 0.2)
        assert outcome.status is Status.FAIL
        assert str(outcome) == f"L4TOUT no result within 0.2 s while waiting for an echo reply from {LOOPBACK[kind]}"

    in_namespace(settings | SILENT, talk)


@as_root
@both
@either
def test_nobody_has_the_address(settings: dict[str, str], kind: Family) -> None:
    """A failed ARP or neighbour discovery ends the check at once, as the server's fault."""
    near, far, family = (
        ("192.0.2.1/24", "192.0.2.9", "ipv4") if kind is V4 else ("2001:db8::1/64", "2001:db8::9", "ipv6")
    )

    async def talk() -> None:
        lonely(near, family)
        outcome = await ask(Ping(), Target(address=far))
        assert (outcome.status, outcome.code) == (Status.FAIL, Code.L4CON), outcome
        assert outcome.detail == f"waiting for an echo reply from {far}: No route to host (EHOSTUNREACH)"

    in_namespace(settings, talk)


@as_root
@both
@either
def test_no_route_is_ours(settings: dict[str, str], kind: Family) -> None:
    """Where this machine has no route, nothing is known about the server."""

    async def talk() -> None:
        outcome = await ask(Ping(), Target(address="192.0.2.9" if kind is V4 else "2001:db8::9"))
        assert (outcome.status, outcome.code) == (Status.UNKNOWN, Code.SOCKERR)
        assert "ENETUNREACH" in outcome.detail

    in_namespace(settings, talk)


@as_root
@both
@either
def test_only_the_very_reply_counts(settings: dict[str, str], kind: Family) -> None:
    """Another type, code, sequence, identifier or payload is not the reply, however many come; the true one passes."""

    def forged(request: bytes) -> list[bytes]:
        reply = bytes([kind.reply]) + request[1:]
        return [
            request,
            reply[:1] + b"\1" + reply[2:],
            reply[:5] + bytes([reply[5] ^ 1]) + reply[6:],
            reply[:7] + bytes([reply[7] ^ 1]) + reply[8:],
            reply[:-1] + bytes([reply[-1] ^ 1]),
            reply[:-1],
            reply + b"x",
            reply[:8],
        ] * 4

    async def talk() -> None:
        assert (await answered(kind, forged, 0.2)).code == Code.L4TOUT
        true = await answered(kind, lambda request: [*forged(request), bytes([kind.reply]) + request[1:]], ENOUGH)
        assert true.code == Code.L4OK

    in_namespace(settings | SILENT, talk)


@as_root
@either
def test_a_redirect_is_no_answer(settings: dict[str, str]) -> None:
    """A router that points out a shorter way has passed the request on: the reply is still waited for."""

    def redirect(request: bytes) -> bytes:
        address = socket.inet_aton("127.0.0.1")
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(request), 0, 0, 64, 1, 0, address, address)
        return b"\5\1\0\0" + address + header + request

    async def talk() -> None:
        assert (await answered(V4, lambda request: [redirect(request)], 0.2)).code == Code.L4TOUT
        assert (await answered(V4, lambda request: [redirect(request), b"\0" + request[1:]], ENOUGH)).code == Code.L4OK

    in_namespace(settings | SILENT, talk)


@as_root
@pytest.mark.parametrize("address", LOOPBACK.values())
def test_without_permission(address: str) -> None:
    """With neither sort of socket permitted the outcome is UNKNOWN, and names both cures."""
    program = f"""
import asyncio
from checkers.base import Target
from checkers.ping import Ping
from tests.checkers.asking import ask
outcome = asyncio.run(ask(Ping(), Target(address={address!r})))
print(outcome.status.value, outcome)
"""
    without = ["unshare", "--net", "setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [*without, sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("unknown SOCKERR not permitted to send an ICMP echo: ")
    assert "sysctl -w net.ipv4.ping_group_range=" in done.stdout
    assert "CAP_NET_RAW" in done.stdout


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120), st.booleans(), st.sampled_from([V4, V6]))
def test_any_packet(packet: bytes, raw: bool, kind: Family) -> None:  # noqa: FBT001 - drawn by hypothesis
    """Whatever comes is a reply or is not, without an exception; without the secret payload it is not."""
    assert icmp.sequence_of(packet, kind, 7, b"a payload that nobody guesses", raw=raw) is None


def test_checksum() -> None:
    """The example of RFC 1071, section 3, and an odd length, which counts as if a zero byte followed."""
    assert icmp.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF ^ 0xDDF2
    assert icmp.checksum(b"\x12\x34\x56") == icmp.checksum(b"\x12\x34\x56\x00")


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"size": 15}, "size", "must be from 16 to 1472 bytes, not 15"),
        ({"size": 1473}, "size", "must be from 16 to 1472 bytes, not 1473"),
        ({"port": 7}, "port", "an ICMP echo has no port"),
    ],
)
def test_bad_options(options: dict[str, int], option: str, message: str) -> None:
    """An option that can never work is refused when the check is made."""
    with pytest.raises(OptionError) as caught:
        Ping(**options)  # type: ignore[arg-type]  # as they come from a file
    assert (caught.value.option, str(caught.value)) == (option, message)
