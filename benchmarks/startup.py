"""CPU until something is there: the command line, a round for cron, a large configuration, the daemon's first check."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import kinds, page, subjects, targets
from benchmarks.kinds import KINDS
from benchmarks.processes import cpu_of, running, until
from benchmarks.subjects import HEALTHD, Subject
from benchmarks.targets import Target

SLOW = 60
"""Seconds between checks where the checks themselves are not to be measured."""

Sample = Callable[[], float]


def main() -> None:
    parser = page.parser(__doc__)
    parser.add_argument("--servers", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    results = page.Results("startup", ("what", "CPU s, median", "most"), ("keepalived",))
    with tempfile.TemporaryDirectory(prefix="bench") as name, targets.logging(Path(name), "http") as target:
        folder = Path(name)
        subjects.build_shim(folder)
        for what, sample in samples(target, asked.servers, folder).items():
            found = [sample() for _ in range(asked.rounds)]
            results.add(what, f"{statistics.median(found):.2f}", f"{max(found):.2f}")
    results.finish(write=asked.write)


def samples(target: Target, servers: int, folder: Path) -> dict[str, Sample]:
    http = KINDS["http"]

    def once() -> float:
        config = kinds.healthd(http, 3, target.port, folder, 5)
        return cpu_of([*HEALTHD, "check", "--once", "-c", str(config)], folder)

    def checked() -> float:
        config = kinds.healthd(http, servers, target.port, folder, SLOW)
        return cpu_of([*HEALTHD, "config", "check", "-c", str(config)], folder)

    return {
        "`python -c pass`": lambda: cpu_of([HEALTHD[0], "-c", "pass"], folder),
        "`healthd --help`": lambda: cpu_of([*HEALTHD, "--help"], folder),
        "`healthd check --once`, 3 servers": once,
        f"`healthd config check`, {servers:,} servers": checked,
        f"`healthd run` to its first check, {servers:,} servers": lambda: first_check(
            "healthd", target, servers, folder
        ),
        f"keepalived to its first check, {servers:,} servers": lambda: first_check(
            "keepalived", target, servers, folder
        ),
    }


def first_check(program: str, target: Target, servers: int, folder: Path) -> float:
    """CPU seconds until the first server is asked: by then all is read, validated and scheduled."""
    command = Subject(program).command(KINDS["http"], servers, target.port, folder, SLOW)
    count = target.count()
    with running(command.words, folder / "log", command.environment) as started:
        until(lambda: started.ended or target.count() > count, f"the first check of {program}", 60)
        if started.ended:
            raise ChildProcessError(f"ended by itself: {started.log.read_text()[-2000:]}")
        return started.usage().cpu


if __name__ == "__main__":
    main()
