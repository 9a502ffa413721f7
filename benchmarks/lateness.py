"""How late checks start, and whether one is lost or done twice, as the servers see it.

Each server is to be asked at fixed points in time. Their phase is taken from its earliest arrival; an arrival is late
by its distance from the point before it. What is not at its own point is lost, or doubled. The figures are upper
bounds: the server's own delay on a busy machine is in them.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import page, targets
from benchmarks.kinds import KINDS
from benchmarks.processes import running
from benchmarks.subjects import Subject

CAN_BE_SEEN = ("http", "dialog", "dns", "tcp")


@dataclass(frozen=True, slots=True)
class Punctuality:
    """`late` in milliseconds, sorted; `lost` and `doubled` are numbers of checks."""

    late: list[float]
    lost: int
    doubled: int

    def percentile(self, part: float) -> float:
        return self.late[min(len(self.late) - 1, int(len(self.late) * part))] if self.late else 0.0


def main() -> None:
    parser = page.parser(__doc__)
    parser.add_argument("--kind", choices=CAN_BE_SEEN, default="http")
    parser.add_argument("--servers", nargs="+", type=int, default=[1_000, 10_000])
    parser.add_argument("--interval", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=60)
    asked = parser.parse_args()
    columns = ("kind", "servers", "checks", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "most ms", "lost", "doubled")
    results = page.Results("lateness", columns)
    for servers in asked.servers:
        found = observed(Subject("healthd"), asked.kind, servers, asked.interval, asked.seconds)
        late = [f"{found.percentile(part):.1f}" for part in (0.5, 0.9, 0.99, 0.999, 1)]
        results.add(asked.kind, f"{servers:,}", f"{len(found.late):,}", *late, str(found.lost), str(found.doubled))
    results.finish(write=asked.write)


def observed(subject: Subject, kind: str, servers: int, interval: int, seconds: int) -> Punctuality:
    """What the servers see in a window of so many seconds, after everything has been asked and admitted."""
    with tempfile.TemporaryDirectory(prefix="bench") as name, targets.logging(Path(name), kind) as target:
        assert target.log, "this target keeps a log"
        command = subject.command(KINDS[kind], servers, target.port, Path(name), interval)
        with running(command.words, Path(name) / "log", command.environment) as program:
            time.sleep(interval + 4 + servers / 1_000)  # to start, and to admit all of them
            begin = time.monotonic_ns()
            time.sleep(seconds)
            end = time.monotonic_ns()
            time.sleep(0.5)  # what was due before the end may be on its way
            if program.ended:
                raise ChildProcessError(f"ended by itself: {program.log.read_text()[-2000:]}")
        seen = targets.arrivals(target.log)
    return judged(seen.values(), servers, interval * 10**9, begin, end)


def judged(servers: Iterable[list[int]], expected: int, interval: int, begin: int, end: int) -> Punctuality:
    """All times in nanoseconds; each of `servers` is the arrivals at one. One never asked is lost throughout."""
    late: list[int] = []
    lost = doubled = asked = 0
    due = (end - begin) // interval
    for times in servers:
        inside = [when for when in times if begin <= when < end]
        if not inside:
            continue
        asked += 1
        first = _first_point(inside, interval)
        points = Counter((when - first) // interval for when in inside)
        doubled += len(inside) - len(points)
        lost += max(0, due - 1 - len(points), max(points) - min(points) + 1 - len(points))  # one may be past an edge
        late += [(when - first) % interval for when in inside]
    return Punctuality([one / 1e6 for one in sorted(late)], lost + max(0, expected - asked) * due, doubled)


def _first_point(times: list[int], interval: int) -> int:
    """The phase of the earliest arrival, beside the first one; none may be half an interval late."""
    return times[0] + min((when - times[0] + interval // 2) % interval - interval // 2 for when in times)


if __name__ == "__main__":
    main()
