"""`source`, `interface` and `mark`: by which way a check leaves this machine, in namespaces of the tests' own."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from checkers.always import Always
from checkers.base import Checker, OptionError, Outcome, Status, Target
from checkers.command import Command
from checkers.dialog import Dialog
from checkers.ping import Ping
from checkers.route import Route
from checkers.tcp import Tcp
from tests.checkers.asking import ENOUGH, ask
from tests.checkers.datagrams import udp_server
from tests.checkers.namespace import as_root, in_namespace, run

SOURCES = {"127.0.0.1": "127.0.0.77", "::1": "2001:db8::77"}


def routed(checker: Checker, address: str, port: int = 0) -> Target:
    """The target as a plan makes it."""
    return Target(address=address, port=port, route=checker.route)


async def seen_from(checker: Checker, address: str) -> tuple[Outcome, set[str]]:
    """The outcome, and the addresses that a server on `address` was connected from."""
    with socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET) as server:
        server.settimeout(0)
        outcome = await ask(checker, routed(checker, address, server.getsockname()[1]))
        seen: set[str] = set()
        while True:
            try:
                sock, peer = server.accept()
            except BlockingIOError:
                return outcome, seen
            sock.close()
            seen.add(peer[0])


@as_root
@pytest.mark.parametrize("address", SOURCES)
def test_source(address: str) -> None:
    """The server sees the address that the check was told to send from."""

    async def talk() -> None:
        run("ip address add 2001:db8::77/128 dev lo nodad")
        outcome, seen = await seen_from(Tcp(source=SOURCES[address]), address)
        assert outcome.status is Status.PASS, outcome
        assert seen == {SOURCES[address]}
        pinged = Ping(source=SOURCES[address])
        assert (await ask(pinged, routed(pinged, address))).status is Status.PASS

    in_namespace({"ipv4/ping_group_range": "0 2147483647"}, talk)


async def test_source_of_datagrams() -> None:
    """Over UDP too."""
    async with udp_server(lambda _: [b"pong"]) as (target, _):
        checker = Dialog(protocol="udp", send="ping", expect="pong", source="127.0.0.5")
        outcome = await ask(checker, routed(checker, target.address, target.port))
        assert outcome.status is Status.PASS, outcome


async def test_source_that_is_not_here() -> None:
    """An address of another machine, or of the other family, says nothing about the server."""
    for checker, told in (
        (Tcp(source="192.0.2.1"), 'source = "192.0.2.1": this machine has no such address (EADDRNOTAVAIL)'),
        (Tcp(source="::1"), 'source = "::1" cannot send to 127.0.0.1: one is IPv4 and the other IPv6'),
        (Tcp(interface="nowhere0"), 'interface = "nowhere0": this machine has no such interface (ENODEV)'),
    ):
        outcome = await ask(checker, routed(checker, "127.0.0.1", 9))
        assert (outcome.status, str(outcome)) == (Status.UNKNOWN, f"SOCKERR {told}")


@as_root
def test_interface() -> None:
    """Nothing leaves by another device, though the route does: what cannot be reached by it is not reached."""

    async def talk() -> None:
        run("ip link add near type veth peer name far")
        run("ip link set near up")
        run("ip link set far up")
        outcome, seen = await seen_from(Tcp(interface="lo"), "127.0.0.1")
        assert (outcome.status, seen) == (Status.PASS, {"127.0.0.1"})
        by_near = Tcp(interface="near")
        elsewhere = await ask(by_near, routed(by_near, "127.0.0.1", 9), 0.2)
        assert elsewhere.status is not Status.PASS
        pinged = Ping(interface="lo")
        assert (await ask(pinged, routed(pinged, "127.0.0.1"))).status is Status.PASS

    in_namespace({}, talk)


@as_root
def test_mark() -> None:
    """The packets carry the mark: a filter that lets no others through lets these pass."""

    async def talk() -> None:
        run("nft add table inet t")
        run("nft add chain inet t c { type filter hook output priority 0 ; }")
        run("nft add rule inet t c meta mark != 0x2a ip daddr 127.0.0.3 drop")
        with socket.create_server(("127.0.0.3", 0)) as server:
            for kind in (Ping, Tcp):
                for mark, seconds in ((42, ENOUGH), (43, 0.2), (None, 0.2)):
                    checker = kind(mark=mark)
                    target = routed(checker, "127.0.0.3", server.getsockname()[1])
                    outcome = await ask(checker, target, seconds)
                    assert (outcome.status is Status.PASS) is (mark == 42), outcome

    in_namespace({"ipv4/ping_group_range": "0 2147483647"}, talk)


@as_root
def test_without_permission() -> None:
    """A mark without the capability is UNKNOWN, and its name is told."""
    program = """
import asyncio
from checkers.base import Target
from checkers.tcp import Tcp
from tests.checkers.asking import ask
tcp = Tcp(mark=42)
outcome = asyncio.run(ask(tcp, Target(address="127.0.0.1", port=9, route=tcp.route)))
print(outcome.status.value, outcome)
"""
    dropped = "-net_raw,-net_admin"
    without = ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}", sys.executable, "-c", program]
    root = Path(__file__).parents[2]
    done = subprocess.run(without, cwd=root, capture_output=True, text=True, check=True)
    cure = "give healthd the capability CAP_NET_ADMIN (since Linux 5.17 CAP_NET_RAW is enough)"
    assert done.stdout == f"unknown SOCKERR mark = 42: not permitted: {cure}\n"


def test_no_route_costs_nothing() -> None:
    """One reference for nearly all checks, and one value for all servers of a check that has one."""
    assert Tcp().route is None
    checker = Tcp(source="192.0.2.1", interface="eth0", mark=7)
    assert checker.route == Route("192.0.2.1", "eth0", 7)
    assert checker.route is checker.route


def test_a_script_is_told() -> None:
    """A command has its own sockets: the options reach it in its environment and by placeholders."""
    command = Command(command=("/bin/true", "{source}", "{mark}"), source="192.0.2.1", interface="eth0", mark=7)
    target = routed(command, "192.0.2.9", 80)
    assert command.argv(target) == ["/bin/true", "192.0.2.1", "7"]
    variables = command.variables(target)
    assert [variables[f"HEALTHD_{name}"] for name in ("SOURCE", "INTERFACE", "MARK")] == ["192.0.2.1", "eth0", "7"]
    plain = command.variables(Target(address="192.0.2.9", port=80))
    assert [plain[f"HEALTHD_{name}"] for name in ("SOURCE", "INTERFACE", "MARK")] == ["", "", "0"]


DEVICE = 'expected the name of a network device such as "eth0", of at most 15 bytes'
MACHINE = 'expected an IPv4 or IPv6 address of this machine such as "192.168.7.2"'


@pytest.mark.parametrize(
    ("kind", "options", "option", "message"),
    [
        (Tcp, {"source": "localhost"}, "source", f'{MACHINE}, not "localhost"'),
        (Tcp, {"source": "fe80::1%eth0"}, "source", f'{MACHINE}, not "fe80::1%eth0"'),
        (Tcp, {"source": "\0"}, "source", f'{MACHINE}, not "\\x00"'),
        (
            Tcp,
            {"source": "::1", "address": "192.0.2.1"},
            "source",
            "::1 cannot send to 192.0.2.1: one is IPv4 and the other IPv6",
        ),
        (Tcp, {"source": ""}, "source", "must not be empty, nor 0: leave it out for the kernel's own choice"),
        (Tcp, {"mark": 0}, "mark", "must not be empty, nor 0: leave it out for the kernel's own choice"),
        (Tcp, {"mark": -1}, "mark", "must be from 1 to 4294967295, not -1"),
        (Tcp, {"mark": 2**32}, "mark", "must be from 1 to 4294967295, not 4294967296"),
        (Tcp, {"interface": "eth/0"}, "interface", f'{DEVICE}, not "eth/0"'),
        (Tcp, {"interface": "a" * 16}, "interface", f'{DEVICE}, not "aaaaaaaaaaaaaaaa"'),
        (Tcp, {"interface": ".."}, "interface", f'{DEVICE}, not ".."'),
        (
            Always,
            {"interface": "eth0", "mark": 1},
            "interface",
            "cannot be chosen for a check of this kind: remove interface, mark",
        ),
    ],
)
def test_bad_options(kind: type[Checker], options: dict[str, object], option: str, message: str) -> None:
    """What can never work is refused when the check is made, by the option's name."""
    with pytest.raises(OptionError) as caught:
        kind(**options)  # type: ignore[arg-type]  # as they come from a file
    assert (caught.value.option, str(caught.value)) == (option, message)
