"""The `ping` check, in network namespaces of the tests' own where the kernel's settings matter."""

import asyncio
import contextlib
import ctypes
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from checkers import ping
from checkers.base import Code, OptionError, Outcome, Status, Target
from checkers.ping import V4, V6, Family, Ping
from tests.checkers.asking import ask

CLONE_NEWNET = 0x40000000  # linux/sched.h
LOOPBACK = {V4: "127.0.0.1", V6: "::1"}
SETTINGS = Path("/proc/sys/net")
PING_SOCKETS = {"ipv4/ping_group_range": "0 2147483647"}
SILENT = {"ipv4/icmp_echo_ignore_all": "1", "ipv6/icmp/echo_ignore_all": "1"}

as_root = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("ip", "unshare", "setpriv"))),
    reason="needs root, iproute2 and util-linux: the test makes a network namespace",
)
both = pytest.mark.parametrize("kind", [V4, V6], ids=["IPv4", "IPv6"])
either = pytest.mark.parametrize("settings", [{}, PING_SOCKETS], ids=["raw socket", "ping socket"])


def in_namespace(settings: dict[str, str], talk: Callable[[], Awaitable[None]]) -> None:
    """Runs `talk` in a thread that has a network namespace to itself, with loopback up and these settings made."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            assert ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            for name, value in settings.items():
                (SETTINGS / name).write_text(value)
            asyncio.run(_awaited(talk))
        except BaseException as error:  # noqa: BLE001 - it is raised again outside
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


async def _awaited(talk: Callable[[], Awaitable[None]]) -> None:
    await talk()


@as_root
@both
@either
def test_loopback_answers(settings: dict[str, str], kind: Family) -> None:
    """An echo comes back on either sort of socket, by both protocols, at every size; the pass tells its time."""

    async def talk() -> None:
        with contextlib.closing(ping.open_socket(kind)) as sock:
            assert sock.type == (socket.SOCK_DGRAM if settings else socket.SOCK_RAW)
        for size in (16, 17, 56, 1472):
            outcome = await ask(Ping(size=size), Target(address=LOOPBACK[kind]))
            assert (outcome.status, outcome.code) == (Status.PASS, Code.L4OK), outcome
            assert outcome.detail.startswith(f"echo reply from {LOOPBACK[kind]} in ")
            assert 0 < float(outcome.detail.split()[-2]) < 5000
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
        _run("ip link add near type veth peer name far")
        _run("ip link set far up")
        _run("ip link set near up")
        _run(f"ip address add {near} dev near nodad")
        for name, value in {"retrans_time_ms": "20", "mcast_solicit": "1"}.items():
            (SETTINGS / family / "neigh/near" / name).write_text(value)
        outcome = await ask(Ping(), Target(address=far), 10)
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


def _run(command: str) -> None:
    subprocess.run(command.split(), check=True)


class Echoing:
    """Answers echo requests on loopback in the kernel's stead, which has been told to be silent."""

    def __init__(self, kind: Family) -> None:
        self._kind = kind
        self._sock = socket.socket(kind.family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, kind.protocol)

    async def request(self) -> bytes:
        """The next echo request, from its ICMP header on."""
        while True:
            packet = await asyncio.get_running_loop().sock_recv(self._sock, 4096)
            if self._kind is V4:
                packet = packet[20:]
            if packet[0] == self._kind.request:
                return packet

    def send(self, icmp: bytes) -> None:
        blank = icmp[:2] + b"\0\0" + icmp[4:]
        self._sock.sendto(blank[:2] + struct.pack("!H", ping.checksum(blank)) + blank[4:], (LOOPBACK[self._kind], 0))

    def close(self) -> None:
        self._sock.close()


@contextlib.contextmanager
def echoing(kind: Family) -> Iterator[Echoing]:
    server = Echoing(kind)
    try:
        yield server
    finally:
        server.close()


async def answered(kind: Family, answers: Callable[[bytes], list[bytes]], seconds: float) -> Outcome:
    """What the check makes of these ICMP packets in answer to its request."""
    with echoing(kind) as server:

        async def serve() -> None:
            served: set[bytes] = set()  # what is sent here comes by here too
            while True:
                request = await server.request()
                for packet in answers(request) if request not in served else ():
                    server.send(packet)
                served.add(request)

        serving = asyncio.create_task(serve())
        try:
            return await ask(Ping(), Target(address=LOOPBACK[kind]), seconds)
        finally:
            serving.cancel()
            await asyncio.wait([serving])


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
        true = await answered(kind, lambda request: [*forged(request), bytes([kind.reply]) + request[1:]], 5)
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
        assert (await answered(V4, lambda request: [redirect(request), b"\0" + request[1:]], 5)).code == Code.L4OK

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


def test_checksum() -> None:
    """The example of RFC 1071, section 3, and an odd length, which counts as if a zero byte followed."""
    assert ping.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF ^ 0xDDF2
    assert ping.checksum(b"\x12\x34\x56") == ping.checksum(b"\x12\x34\x56\x00")


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
