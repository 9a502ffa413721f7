"""CPU per check of each kind of check, beside keepalived where it has the like, on the same targets in turn."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import page, subjects
from benchmarks.kinds import KINDS, Kind
from benchmarks.processes import Running, running, until
from benchmarks.subjects import Subject
from benchmarks.targets import Target

HEALTHD, KEEPALIVED = Subject("healthd"), Subject("keepalived")
STARTING = 180.0
"""Seconds that a program may take until it has asked every server once."""
COLUMNS = (
    "kind",
    "servers",
    "checks/s",
    "healthd µs (user)",
    "keepalived µs (user)",
    "ratio",
    "RSS MiB",
    "keepalived's",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """`rate` is checks per second that arrived; `cost` and `user` are microseconds of CPU per check."""

    rate: float
    cost: float
    user: float
    resident: int


def arguments() -> argparse.Namespace:
    parser = page.parser(__doc__)
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--servers", nargs="+", type=int, default=[1_000, 10_000])
    parser.add_argument("--seconds", type=float, default=10, help="of measuring")
    parser.add_argument("--rounds", type=int, default=3, help="healthd and keepalived in turn, this often")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    results = page.Results("cost", COLUMNS, ("keepalived", "nginx"))
    for name in asked.kind:
        for servers in asked.servers:
            results.add(name, f"{servers:,}", *compared(KINDS[name], servers, asked.seconds, asked.rounds))
    results.finish(write=asked.write)


def compared(kind: Kind, servers: int, seconds: float, rounds: int) -> list[str]:
    """The cells of one row, medians over the rounds; the ratio is that of neighbours in time."""
    rivals = [HEALTHD, KEEPALIVED] if kind.keepalived else [HEALTHD]
    found: dict[Subject, list[Measured]] = {rival: [] for rival in rivals}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench")))
        subjects.build_shim(folder)
        target = stack.enter_context(kind.target(folder)) if kind.target else None
        for _ in range(rounds):
            for rival in rivals:
                found[rival].append(measure(rival, kind, target, servers, seconds, folder))
    ours, theirs = found[HEALTHD], found.get(KEEPALIVED, [])
    rate = statistics.median(one.rate for one in ours)
    full = servers / kind.interval(servers)
    if not 0.97 <= rate / full <= 1.03:
        print(f"healthd did {rate:.0f} checks a second where {full:.0f} were asked for", file=sys.stderr)
    cells = [f"{rate:.0f}", _cost(ours), _cost(theirs), "–", _memory(ours), _memory(theirs)]
    if theirs:
        cells[3] = f"**{statistics.median(a.cost / b.cost for a, b in zip(ours, theirs, strict=True)):.2f}**"
        slow = statistics.median(one.rate for one in theirs) / full
        cells[2] += f" at {slow:.0%} of the rate" if slow < 0.9 else ""
    return cells


def measure(
    subject: Subject, kind: Kind, target: Target | None, servers: int, seconds: float, folder: Path
) -> Measured:
    """One run, from the time when every server has been asked once. The window is whole intervals."""
    interval = kind.interval(servers)
    command = subject.command(kind, servers, target.port if target else 0, folder, interval)
    window = max(1, round(seconds / interval)) * interval
    asked = target.count() if target else 0
    with running(command.words, folder / "log", command.environment) as program:
        if target:
            until(lambda: program.ended or target.count() - asked >= servers, "all are asked", STARTING, every=0.5)
        time.sleep(interval + 4)
        return _window(program, target, servers / interval, window)


def _window(program: Running, target: Target | None, rate: float, seconds: float) -> Measured:
    count, began, before = target.count() if target else 0, time.monotonic(), program.usage()
    time.sleep(seconds)
    after, ended = program.usage(), time.monotonic()
    checks = max(1.0, target.count() - count) if target else rate * (ended - began)
    if program.ended:
        raise subprocess.SubprocessError(f"ended by itself: {program.log.read_text()[-2000:]}")
    if complaint := program.complaint():
        print(f"not every check passed, so this figure is worth little: {complaint}", file=sys.stderr)
    cpu, user = after.cpu - before.cpu, after.user - before.user
    return Measured(checks / (ended - began), 1e6 * cpu / checks, 1e6 * user / checks, after.resident)


def _cost(rows: list[Measured]) -> str:
    if not rows:
        return "–"
    cost, user = statistics.median(one.cost for one in rows), statistics.median(one.user for one in rows)
    return f"{cost:.0f} ({user:.0f})"


def _memory(rows: list[Measured]) -> str:
    return f"{statistics.median(one.resident for one in rows) / 2**20:.0f}" if rows else "–"


if __name__ == "__main__":
    main()
