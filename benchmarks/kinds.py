"""The kinds of check, in healthd's words and, where it has the like, in keepalived's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import targets
from benchmarks.targets import Target, address

_NAME = "bench.test"
_URL = "url {\n path /\n status_code 200\n }"


@dataclass(frozen=True, slots=True)
class Kind:
    """`healthd` is the table of a check and `keepalived` a checker block, empty where there is none; {folder} and
    {address} are filled in. `rate` is the most checks a second that are asked of this machine, so that a check that
    is dear is not measured at the machine's end. `target` is None where nobody is asked.
    """

    healthd: str
    keepalived: str
    rate: int
    target: Callable[[Path], AbstractContextManager[Target]] | None

    def interval(self, servers: int) -> int:
        """Seconds."""
        return max(1, servers // self.rate)


KINDS = {
    "tcp": Kind('type = "tcp"', "TCP_CHECK {\n connect_timeout 3\n }", 10_000, targets.nginx),
    "http": Kind(
        'type = "http"\nexpect = "healthy"', f"HTTP_GET {{\n {_URL}\n connect_timeout 3\n }}", 10_000, targets.nginx
    ),
    "https": Kind(
        'type = "https"\nverify = false\nexpect = "healthy"',
        f"SSL_GET {{\n {_URL}\n connect_timeout 3\n }}",
        500,
        lambda folder: targets.nginx(folder, "tls"),
    ),
    "https-resuming": Kind(
        'type = "https"\nverify = false\nexpect = "healthy"',
        f"SSL_GET {{\n {_URL}\n connect_timeout 3\n }}",
        500,
        lambda folder: targets.nginx(folder, "resuming"),
    ),
    "dns": Kind(
        f'type = "dns"\nname = "{_NAME}"\nrecord = "A"',
        f"DNS_CHECK {{\n type A\n name {_NAME}\n connect_timeout 3\n }}",
        10_000,
        lambda folder: targets.logging(folder, "dns"),
    ),
    "dialog": Kind(
        'type = "dialog"\nsend = "PING\\r\\n"\nexpect = "+PONG"\nmatch = "prefix"',
        "",
        10_000,
        lambda folder: targets.logging(folder, "dialog"),
    ),
    "ping": Kind('type = "ping"', "PING_CHECK {\n }", 5_000, lambda _: targets.echo()),
    "command": Kind(
        'type = "command"\ncommand = ["{folder}/ran", "{folder}/runs"]',
        'MISC_CHECK {\n misc_path "{folder}/ran {folder}/runs"\n misc_timeout 5\n }',
        250,
        targets.counted_program,
    ),
    "always": Kind('type = "always"', "", 10_000, None),
}


def healthd(
    kind: Kind, servers: int, port: int | Sequence[int], folder: Path, interval: int, settings: str = ""
) -> Path:
    """A configuration file of one service with this many servers, all with one port or each with its own.

    Its table is in memory.
    """
    ports = [port] * servers if isinstance(port, int) else port
    entries = "".join(_SERVER.format(address=address(number), port=ports[number] or 80) for number in range(servers))
    path = folder / "healthd.toml"
    check = kind.healthd.replace("{folder}", str(folder))
    path.write_text(
        _HEALTHD.format(folder=folder, settings=settings, interval=interval, timeout=min(3, interval), check=check)
        + entries
    )
    return path


_SERVER = '[[service.bench.server]]\naddress = "{address}"\nport = {port}\n'
_HEALTHD = """
[healthd]
table = "memory"
state_dir = "{folder}/state"
{settings}
[defaults]
interval = "{interval}s"
fast_interval = "{interval}s"
timeout = "{timeout}s"
[service.bench]
virtual = "10.9.9.9:80"
scheduler = "wrr"
[service.bench.check]
{check}
"""


def keepalived(kind: Kind, servers: int, port: int, folder: Path, interval: int) -> Path:
    """The same for keepalived; run it with programs/ipvs_shim.c."""
    check = kind.keepalived.replace("{folder}", str(folder))
    entries = "".join(
        f"real_server {address(number)} {port or 80} {{\n weight 1\n inhibit_on_failure\n {check}\n}}\n"
        for number in range(servers)
    )
    path = folder / "keepalived.conf"
    path.write_text(_KEEPALIVED.format(interval=interval) + entries + "}\n")
    return path


_KEEPALIVED = """global_defs {{
 script_user root
}}
virtual_server 10.9.9.9 80 {{
 delay_loop {interval}
 lb_algo wrr
 lb_kind NAT
 protocol TCP
"""
