"""The kernel's table in bulk: adding, editing, reading and deleting many real servers, in CPU of healthd's own code.

Runs in the lab (tests/lab/run), where a kernel with IPVS is. A User-Mode Linux makes system calls slow and counts them
as user time; so encoding, and the exchange of as many messages that the kernel merely acknowledges, are measured on
this machine itself too.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable

from benchmarks import page
from benchmarks.processes import CHECKOUT
from benchmarks.targets import address
from healthd.edits import Edit, diff
from healthd.ipvs import messages
from healthd.ipvs.kernel import KernelIpvs
from healthd.ipvs.netlink import Netlink
from healthd.model import Destination, Endpoint, Protocol, ServiceKey, ServiceOptions, Table, VirtualService

COLUMNS = ("what", "where", "entries", "user CPU ms", "system CPU ms", "user µs per entry")


def main() -> None:
    parser = page.parser(__doc__)
    parser.add_argument("--servers", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if "LAB_INSIDE" in os.environ:
        in_the_lab(asked.servers, asked.rounds)
        return
    results = page.Results("table", COLUMNS)
    for what, act in here(asked.servers).items():
        results.add(*_row(what, "this machine", asked.servers, [_spent(act) for _ in range(asked.rounds)]))
    command = [sys.executable, "-m", "benchmarks.table", f"--servers={asked.servers}", f"--rounds={asked.rounds}"]
    done = subprocess.run(["tests/lab/run", *command], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True)
    for line in done.stdout.splitlines():
        results.add(*line.split("\t"))
    results.finish(write=asked.write)


def here(servers: int) -> dict[str, Callable[[], object]]:
    """What needs no IPVS: without it the edits are sent as no-ops (NLMSG_NOOP, linux/netlink.h)."""
    edits = diff(filled(servers), filled(0))
    link = Netlink()
    return {
        "encode additions": lambda: [messages.edit(edit) for edit in edits],
        "encode and send them, as no-ops": lambda: link.tell(1, [messages.edit(edit) for edit in edits]),
    }


def in_the_lab(servers: int, rounds: int) -> None:
    """Prints the cells of the rows, separated by tabulators."""
    ipvs = KernelIpvs()
    found: dict[str, list[tuple[float, float]]] = {"add": [], "read": [], "edit weights": [], "delete": []}
    full, empty = filled(servers), filled(0)
    heavier = filled(servers, weight=2)
    for _ in range(rounds):
        _apply(ipvs, diff(empty, Table({})))
        found["add"].append(_spent(lambda: _apply(ipvs, diff(full, empty))))
        found["read"].append(_spent(lambda: _is(ipvs, full)))
        found["edit weights"].append(_spent(lambda: _apply(ipvs, diff(heavier, full))))
        _is(ipvs, heavier)
        found["delete"].append(_spent(lambda: _apply(ipvs, diff(empty, heavier))))
        _apply(ipvs, diff(Table({}), empty, retired=empty.services))
    ipvs.close()
    where = "lab, Linux " + os.uname().release
    for what, spent in found.items():
        print("\t".join(_row(what, where, servers, spent)))


def filled(servers: int, weight: int = 1) -> Table:
    key = ServiceKey.at(Protocol.TCP, Endpoint("10.9.9.9", 80))
    entries = {Endpoint(address(number), 80): Destination(weight=weight) for number in range(servers)}
    return Table({key: VirtualService(ServiceOptions(), entries)})


def _apply(ipvs: KernelIpvs, edits: list[Edit]) -> None:
    if refused := ipvs.apply(edits):
        raise refused[0]


def _is(ipvs: KernelIpvs, table: Table) -> None:
    if ipvs.read() != table:
        raise ValueError("the kernel's table is not what was put there")


def _spent(act: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds of this process, in user and in kernel mode."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    act()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime


def _row(what: str, where: str, entries: int, spent: list[tuple[float, float]]) -> tuple[str, ...]:
    user, system = (statistics.median(one[part] for one in spent) for part in (0, 1))
    return what, where, f"{entries:,}", f"{1e3 * user:.0f}", f"{1e3 * system:.0f}", f"{1e6 * user / entries:.1f}"


if __name__ == "__main__":
    main()
