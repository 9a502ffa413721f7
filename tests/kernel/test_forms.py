"""Every form of virtual service: written to the kernel as configured, and edited without losing an attribute."""

from __future__ import annotations

from pathlib import Path

from tests.kernel.configuring import service, table, written
from tests.kernel.topology import Topology

TWO6 = ("fd00:2::11", "fd00:2::12")
TWO = ("10.2.0.11", "10.2.0.12")
HTTP = 'type = "http"\nexpect = "OK"'
DNS = 'type = "dns"\nname = "example"'

SERVICES = (
    service(
        "six",
        'virtual = "[fd00:1::100]:80"',
        'scheduler = "sh"',
        'scheduler_flags = ["sh-port", "sh-fallback"]',
        "persistent = '90s'",
        "persistent_netmask = 64",
        servers=TWO6,
        server="port = 80\nweight = 3\nupper = 100\nlower = 50",
    ),
    service(
        "names", 'virtual = "10.1.0.100:53"', 'protocol = "udp"', "one_packet = true", check=DNS, servers=TWO, server=""
    ),
    service(
        "marked",
        "fwmark = 7",
        "persistent = '300s'",
        'persistent_netmask = "255.255.255.0"',
        check=HTTP + "\nport = 80",
        servers=TWO,
        server="weight = 2\nupper = 9",
    ),
    service(
        "marked6",
        "fwmark = 7",
        'family = "ipv6"',
        'forward = "gate"',
        check=HTTP + "\nport = 80",
        servers=TWO6,
        server="",
    ),
)
SIX, NAMES, MARKED, MARKED6 = "-t [fd00:1::100]:80", "-u 10.1.0.100:53", "-f 7", "-f 7 -6"


def expected(second: int) -> str:
    """The whole table; `second` is 1 while the second server is well and 0 while it is not."""
    return "\n".join(
        [
            table(
                SIX,
                "-s sh -p 90 -M 64 -b sh-fallback,sh-port",
                "[fd00:2::11]:80 -m -w 3",
                f"[fd00:2::12]:80 -m -w {3 * second}",
            ),
            table(NAMES, "-s rr -o", "10.2.0.11:53 -m -w 1", f"10.2.0.12:53 -m -w {second}"),
            table(MARKED, "-s rr -p 300 -M 255.255.255.0", "10.2.0.11:0 -m -w 2", f"10.2.0.12:0 -m -w {2 * second}"),
            table(MARKED6, "-s rr", "[fd00:2::11]:0 -g -w 1", f"[fd00:2::12]:0 -g -w {second}"),
        ]
    )


def test_every_form_is_written_and_edited_whole(tmp_path: Path) -> None:
    """IPv6, UDP, fwmark, persistence, thresholds, flags: as configured, also after an edit and its reverse."""
    with Topology(servers=2) as lab:
        daemon = lab.director.start(written(tmp_path, *SERVICES), tmp_path / "log")
        lab.director.becomes(expected(1), 60)
        thresholds = lab.director.thresholds()
        assert {(upper, lower) for _, upper, lower in thresholds} == {(100, 50), (9, 0)}
        lab.servers[1].kill()
        lab.director.becomes(expected(0))
        assert lab.director.thresholds() == thresholds
        lab.servers[1].start()
        lab.director.becomes(expected(1))
        assert lab.director.thresholds() == thresholds
        assert daemon.stop() == 0
