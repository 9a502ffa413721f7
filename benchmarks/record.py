"""For the record: CPU per HTTP check of what healthd replaces that keeps no pace: ldirectord and a loop of curl.

Both ask one server after the other. ldirectord runs in its debug mode, in which it takes an `ipvsadm` of the current
folder: ours does nothing. Its first sweep, with the start, is not counted.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks import kinds, page, targets
from benchmarks.cost import HEALTHD, measure
from benchmarks.processes import running
from benchmarks.targets import Target, address

PROGRAMS = Path(__file__).parent / "programs"
LOOP = "while :; do while read -r url; do curl -s -m 3 -o /dev/null -f $url; done <{urls}; sleep 1; done"


def main() -> None:
    parser = page.parser(__doc__)
    parser.add_argument("--servers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    results = page.Results("record", ("program", "checks/s", "µs per check", "times healthd's"), ("ldirectord", "curl"))
    found: dict[str, list[tuple[float, float]]] = {"healthd": [], "ldirectord": [], "curl loop": []}
    with tempfile.TemporaryDirectory(prefix="bench") as name, targets.nginx(Path(name)) as target:
        for _ in range(asked.rounds):
            ours = measure(HEALTHD, kinds.KINDS["http"], target, asked.servers, asked.seconds, Path(name))
            found["healthd"].append((ours.rate, ours.cost))
            found["ldirectord"].append(ldirectord(target, asked.servers, asked.seconds, Path(name)))
            found["curl loop"].append(curl(target, asked.servers, asked.seconds, Path(name)))
    for program, rows in found.items():
        rate, cost = (statistics.median(row[part] for row in rows) for part in (0, 1))
        ratio = statistics.median(row[1] / ours[1] for row, ours in zip(rows, found["healthd"], strict=True))
        results.add(program, f"{rate:.0f}", f"{cost:.0f}", f"{ratio:.1f}")
    results.finish(write=asked.write)


def ldirectord(target: Target, servers: int, seconds: float, folder: Path) -> tuple[float, float]:
    config = folder / "ldirectord.cf"
    lines = ["checktimeout = 3", "checkinterval = 1", "quiescent = yes", f'logfile = "{folder}/ldirectord.log"']
    lines += ["virtual = 10.9.9.9:80", "    service = http", '    request = "/"', '    receive = "healthy"']
    lines += [f"    real = {address(number)}:{target.port} masq 1" for number in range(servers)]
    config.write_text("\n".join(lines) + "\n")
    # It has to be started in the folder of the stand-in.
    command = ["sh", "-c", 'cd "$0" && exec ldirectord -d "$1" start', str(PROGRAMS), str(config)]
    return _paced(command, target, seconds, folder)


def curl(target: Target, servers: int, seconds: float, folder: Path) -> tuple[float, float]:
    urls = folder / "urls"
    urls.write_text("".join(f"http://{address(number)}:{target.port}/\n" for number in range(servers)))
    return _paced(["sh", "-c", LOOP.format(urls=urls)], target, seconds, folder)


def _paced(command: list[str], target: Target, seconds: float, folder: Path) -> tuple[float, float]:
    """Checks per second, and microseconds of CPU for each."""
    with running(command, folder / "log") as program:
        time.sleep(4)
        count, began, before = target.count(), time.monotonic(), program.usage()
        time.sleep(seconds)
        after, ended = program.usage(), time.monotonic()
        checks = target.count() - count
        if not checks:
            raise ChildProcessError(f"{command} checked nothing: {program.log.read_text()[-2000:]}")
    return checks / (ended - began), 1e6 * (after.cpu - before.cpu) / checks


if __name__ == "__main__":
    main()
