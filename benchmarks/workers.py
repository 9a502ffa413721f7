"""The most checks a second that start on time, by one process and by worker processes.

They are tcp checks, and nearly all of them ask the kernel alone (see `targets.unattended`), so that the servers take
nothing of the processors that the workers are to have. One in SAMPLE asks a server that notes the time: by those is
judged. The load rises, and then the limit is enclosed by halves. A load is borne when no check is lost and 99 of 100
start at most --late milliseconds late, in the best of --tries: somebody else may have had the processors for a moment.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import kinds, page, targets
from benchmarks.kinds import KINDS
from benchmarks.lateness import Punctuality, judged
from benchmarks.processes import running, until
from benchmarks.subjects import HEALTHD

SAMPLE = 20
SETTLING = 5.0
"""Seconds after every server has been admitted: that is much work for the main process, and done once."""


@dataclass(frozen=True, slots=True)
class Seen:
    """`share` is the part of the checks due that came, `cpu` how many processors healthd used."""

    punctuality: Punctuality
    share: float
    cpu: float


def main() -> None:
    parser = page.parser(__doc__)
    parser.add_argument("--workers", nargs="+", type=int, default=[0, 2])
    parser.add_argument("--seconds", type=int, default=5, help="of observing each load")
    parser.add_argument("--late", type=float, default=100)
    parser.add_argument("--start", type=int, default=2_000, help="the first load, in checks a second")
    parser.add_argument("--tries", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3, help="halvings of the last interval")
    asked = parser.parse_args()
    results = page.Results("workers", ("kind", "workers", "processors", "checks/s borne", "times one process"))
    first = 0
    for number in asked.workers:
        borne = limit(Load(number, asked.seconds, asked.late, asked.tries), asked.start, asked.steps)
        first = first or borne
        ratio = f"{borne / first:.2f}" if first else "–"
        results.add("tcp", str(number), str(os.cpu_count()), f"{borne:,}", ratio)
    results.finish(write=asked.write)


@dataclass(frozen=True, slots=True)
class Load:
    workers: int
    seconds: int
    most_late: float
    tries: int

    def borne(self, rate: int) -> bool:
        """`rate` servers are asked every second."""
        return any(self._borne_once(rate) for _ in range(self.tries))

    def _borne_once(self, rate: int) -> bool:
        seen = observed(self.workers, rate, self.seconds)
        late, lost = seen.punctuality.percentile(0.99), seen.punctuality.lost
        print(
            f"  {self.workers} workers, {rate:,}/s: p99 {late:.0f} ms, lost {lost} of the sample, "
            f"{seen.share:.1%} arrived, {seen.cpu:.2f} processors used",
            flush=True,
        )
        return late <= self.most_late and lost == 0 and seen.share > 0.98


def observed(workers: int, servers: int, seconds: int) -> Seen:
    """What the sample sees in a window of so many seconds; every server is asked once a second."""
    sampled = len(range(0, servers, SAMPLE))
    with (
        tempfile.TemporaryDirectory(prefix="bench") as name,
        targets.unattended() as quiet,
        targets.logging(Path(name), "tcp") as target,
    ):
        folder, log = Path(name), target.log
        assert log, "this target keeps a log"
        settings = f"workers = {workers}" if workers else ""
        ports = [quiet if number % SAMPLE else target.port for number in range(servers)]
        config = kinds.healthd(KINDS["tcp"], servers, ports, folder, 1, settings)
        with running((*HEALTHD, "run", "-c", str(config)), folder / "log") as program:
            until(lambda: program.ended or _admitted(program.log) == servers, "all are admitted", 120, every=1)
            time.sleep(SETTLING)
            begin, before = time.monotonic_ns(), program.usage()
            time.sleep(seconds)
            end, after = time.monotonic_ns(), program.usage()
            time.sleep(0.5)  # what was due before the end may be on its way
            if program.ended:
                raise ChildProcessError(f"ended by itself: {program.log.read_text()[-2000:]}")
        found = judged(targets.arrivals(log).values(), sampled, 10**9, begin, end)
    return Seen(found, len(found.late) / (sampled * seconds), (after.cpu - before.cpu) / seconds)


def _admitted(log: Path) -> int:
    return log.read_bytes().count(b"unknown -> up")


def limit(load: Load, start: int, steps: int) -> int:
    """The largest rate found that is borne; 0 when not even the first is."""
    good, bad = 0, start
    while load.borne(bad):
        good, bad = bad, bad * 2
    for _ in range(steps):
        middle = (good + bad) // 2
        if load.borne(middle):
            good = middle
        else:
            bad = middle
    return good


if __name__ == "__main__":
    main()
