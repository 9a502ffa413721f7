"""Memory: resident bytes of the whole process tree at several numbers of servers, and what one more server costs."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import page, subjects
from benchmarks.cost import HEALTHD, KEEPALIVED, measure
from benchmarks.kinds import KINDS

COLUMNS = ("program", "kind", "servers", "RSS MiB", "bytes per further server")


def main() -> None:
    parser = page.parser(__doc__)
    parser.add_argument(
        "--kind", nargs="+", choices=[name for name in KINDS if KINDS[name].keepalived], default=["http"]
    )
    parser.add_argument("--servers", nargs=2, type=int, default=[1_000, 10_000], metavar=("FEW", "MANY"))
    parser.add_argument("--seconds", type=float, default=10)
    asked = parser.parse_args()
    results = page.Results("memory", COLUMNS, ("keepalived",))
    few, many = asked.servers
    for name in asked.kind:
        for subject in (HEALTHD, KEEPALIVED):
            less = resident(subject, name, few, asked.seconds)
            more = resident(subject, name, many, asked.seconds)
            results.add(subject.name, name, f"{few:,}", f"{less / 2**20:.1f}", "")
            each = (more - less) / (many - few)
            results.add(subject.name, name, f"{many:,}", f"{more / 2**20:.1f}", f"{each:,.0f}")
    results.finish(write=asked.write)


def resident(subject: subjects.Subject, kind: str, servers: int, seconds: float) -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench")))
        subjects.build_shim(folder)
        make = KINDS[kind].target
        target = stack.enter_context(make(folder)) if make else None
        return measure(subject, KINDS[kind], target, servers, seconds, folder).resident


if __name__ == "__main__":
    main()
