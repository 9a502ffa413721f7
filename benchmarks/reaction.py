"""From a fault to the edit of the table: healthd, keepalived, ldirectord and mon on the same faults, in turn.

Runs in the lab (tests/lab/run), on real packets and the kernel's table, which is read every 10 ms by someone else. All
check over HTTP every second with a second of patience, and one failure decides. The moments at which a fault comes are
spread evenly over that second, in no order and the same for all: how long it takes is mostly how far the next check is
away. System calls are slow in a User-Mode Linux; they are for all.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import page
from benchmarks.processes import CHECKOUT, running, until
from benchmarks.rivals import RIVALS, VIP
from healthd.model import Endpoint, Table
from tests.kernel.director import Watch
from tests.kernel.servers import RealServer
from tests.kernel.topology import Lab, Topology

Act = Callable[[RealServer], None]
FAULTS: dict[str, tuple[Act, Act]] = {
    "refused (killed)": (lambda server: server.kill(), lambda server: server.start()),
    "hung (SIGSTOP)": (lambda server: server.stop(), lambda server: server.resume()),
    "unplugged": (lambda server: server.unplug(), lambda server: server.plug()),
    "error 500": (lambda server: server.answer(500), lambda server: server.answer()),
}
PATIENCE = 30.0
SERVERS = 2


def main() -> None:
    asked = arguments()
    if "LAB_INSIDE" in os.environ:
        with Topology(servers=SERVERS) as lab:
            for number in range(asked.rounds):
                moments = [(each + number / asked.rounds) / asked.repeat for each in range(asked.repeat)]
                # The checks of some programs drift through the second, and one after the other the moments would, too.
                random.Random(number).shuffle(moments)
                for name in asked.program:
                    one_run(name, lab, moments)
        return
    results = page.Results(
        "reaction", ("fault", *asked.program), tuple(name for name in asked.program if name != "healthd")
    )
    found = in_the_lab(asked)
    for fault in FAULTS:
        results.add(fault, *(summary(found.get((name, fault), [])) for name in asked.program))
    results.finish(write=asked.write)


def arguments() -> argparse.Namespace:
    parser = page.parser(__doc__)
    parser.add_argument("--program", nargs="+", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--rounds", type=int, default=3, help="all programs in turn, this often")
    parser.add_argument("--repeat", type=int, default=3, help="each fault, this often in a round")
    return parser.parse_args()


def in_the_lab(asked: argparse.Namespace) -> dict[tuple[str, str], list[float]]:
    """Seconds for each program and fault. What comes out of the lab is shown as it comes."""
    seconds = 120 + asked.rounds * len(asked.program) * (60 + asked.repeat * len(FAULTS) * 20)
    command = ["tests/lab/run", sys.executable, "-m", "benchmarks.reaction", f"--rounds={asked.rounds}"]
    command += [f"--repeat={asked.repeat}", "--program", *asked.program]
    environment = {**os.environ, "LAB_SECONDS": str(seconds)}
    found: dict[tuple[str, str], list[float]] = {}
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True) as lab:
        for line in lab.stdout or ():
            match line.rstrip("\n").split("\t"):
                case [name, fault, reaction]:
                    found.setdefault((name, fault), []).append(float(reaction))
                    print(f"  {name}, {fault}: {reaction} s", file=sys.stderr)
                case _:
                    print(line, end="", file=sys.stderr)
    if lab.returncode:
        sys.exit(f"the lab ended with status {lab.returncode}")
    return found


def summary(found: list[float]) -> str:
    """Median, and the longest with the number of times."""
    return f"{statistics.median(found):.2f} s (≤ {max(found):.2f}, n={len(found)})" if found else "no figure"


def one_run(name: str, lab: Lab, moments: Sequence[float]) -> None:
    """Prints the name, a fault and the seconds to the edit, separated by tabulators, for each time.

    Each fault comes once at each of the `moments`, which are parts of a second of the clock.
    """
    if shutil.which(name) is None and name != "healthd":
        print(f"{name} is not installed: run benchmarks/setup as root", flush=True)
        return
    addresses = [server.address for server in lab.servers]
    lab.mend()
    fill(lab, addresses)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=name)))
        command = RIVALS[name](addresses, folder)
        with lab.director.inside():
            program = stack.enter_context(running(command.words, folder / "log", command.environment))
        time.sleep(12)  # every one of them has checked every server by then
        if program.ended:
            print(f"{name} ended by itself: {program.log.read_text()[-1500:]}", flush=True)
            return
        watch = stack.enter_context(lab.director.watch())
        try:
            for moment, fault in itertools.product(moments, FAULTS):
                print(f"{name}\t{fault}\t{reaction(lab.servers[0], fault, watch, moment):.2f}", flush=True)
        except TimeoutError as error:
            print(f"{name} left out: {error}\n{program.log.read_text()[-1500:]}\n{lab.director.table()}", flush=True)


def fill(lab: Lab, addresses: list[str]) -> None:
    """The table as an administrator would leave it to mon, which makes no entries itself."""
    lab.director.ipvsadm("-C")
    lab.director.ipvsadm(f"-A -t {VIP} -s rr")
    for address in addresses:
        lab.director.ipvsadm(f"-a -t {VIP} -r {address}:80 -m -w 1")


def reaction(server: RealServer, fault: str, watch: Watch, moment: float) -> float:
    harm, mend = FAULTS[fault]
    endpoint = Endpoint(server.address, 80)
    until(lambda: weighted(watch.seen[-1][1], endpoint), f"{server.name} is in the table", PATIENCE)
    time.sleep(1)
    time.sleep((moment - time.monotonic()) % 1)
    began = time.monotonic()
    harm(server)
    try:
        until(lambda: not weighted(watch.seen[-1][1], endpoint), f"{fault}: {server.name} leaves the table", PATIENCE)
    finally:
        mend(server)
    return next(when for when, table in watch.seen if when >= began and not weighted(table, endpoint)) - began


def weighted(table: Table, endpoint: Endpoint) -> bool:
    """Whether the one service has the server, with a weight."""
    return any(
        endpoint in service.destinations and service.destinations[endpoint].weight > 0
        for service in table.services.values()
    )


if __name__ == "__main__":
    main()
