"""The most checks a second that start on time, by one process and by worker processes.

The load rises, and then the limit is enclosed by halves. A load is borne when no check is lost and 99 of 100 start at
most --late milliseconds late, as the servers see it. The servers need a part of the machine too: on few processors that
bounds the gain.
"""

from __future__ import annotations

import os

from benchmarks import page
from benchmarks.kinds import KINDS
from benchmarks.lateness import CAN_BE_SEEN, observed
from benchmarks.subjects import Subject


def main() -> None:
    parser = page.parser(__doc__)
    parser.add_argument("--kind", choices=CAN_BE_SEEN, default="http")
    parser.add_argument("--workers", nargs="+", type=int, default=[0, 2])
    parser.add_argument("--seconds", type=int, default=5, help="of observing each load")
    parser.add_argument("--late", type=float, default=100)
    parser.add_argument("--start", type=int, default=1_000, help="the first load, in checks a second")
    parser.add_argument("--steps", type=int, default=3, help="halvings of the last interval")
    asked = parser.parse_args()
    results = page.Results("workers", ("kind", "workers", "processors", "checks/s borne", "times one process"))
    first = 0
    for number in asked.workers:
        borne = limit(Load(asked.kind, number, asked.seconds, asked.late), asked.start, asked.steps)
        first = first or borne
        ratio = f"{borne / first:.2f}" if first else "–"
        results.add(asked.kind, str(number), str(os.cpu_count()), f"{borne:,}", ratio)
    results.finish(write=asked.write)


class Load:
    def __init__(self, kind: str, workers: int, seconds: int, late: float) -> None:
        assert kind in KINDS, "a kind of check"
        self._kind, self._seconds, self._late = kind, seconds, late
        self._subject = Subject("healthd", settings=f"workers = {workers}" if workers else "")

    def borne(self, rate: int) -> bool:
        """`rate` servers are asked every second."""
        found = observed(self._subject, self._kind, rate, 1, self._seconds)
        share = len(found.late) / (rate * self._seconds)
        print(
            f"  {self._subject.settings or 'one process'}: {rate:,}/s: p99 {found.percentile(0.99):.0f} ms, "
            f"lost {found.lost}, {share:.1%} arrived",
            flush=True,
        )
        return found.percentile(0.99) <= self._late and found.lost == 0 and share > 0.98


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
