"""What a benchmark found, as a table for people: printed, and with --write put into docs/performance.md."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks import subjects
from benchmarks.processes import CHECKOUT

PAGE = CHECKOUT / "docs" / "performance.md"


def parser(doc: str | None) -> argparse.ArgumentParser:
    """The arguments that all benchmarks have."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--write", action="store_true", help="replace this benchmark's part of docs/performance.md")
    return made


@dataclass
class Results:
    """Rows are printed as they come, since the next one may take minutes."""

    name: str
    columns: Sequence[str]
    programs: Sequence[str] = ()
    rows: list[Sequence[str]] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        if not self.rows:
            print(_line(self.columns), _line(["---"] * len(self.columns)), sep="\n")
        self.rows.append(cells)
        print(_line(cells), flush=True)

    def finish(self, *, write: bool) -> None:
        """Says with what, where and when; and brings all of it to the page when asked to."""
        origin = " · ".join([_today(), machine(), *subjects.versions(*self.programs)])
        print(f"\n{origin}")
        if write:
            lines = [f"`{_command(self.name)}`: {origin}", ""]
            lines += [_line(row) for row in (self.columns, ["---"] * len(self.columns), *self.rows)]
            _replace(self.name, "\n".join(lines))


def machine() -> str:
    model = re.search(r"model name\s*: (.*)", _read("/proc/cpuinfo"))
    name = " ".join(model[1].split()) if model else platform.machine()
    return f"{os.cpu_count()} × {name}, Linux {platform.release()}"


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


def _command(name: str) -> str:
    """As it was given, for the page's reader to give again."""
    words = [word for word in sys.argv[1:] if word != "--write"]
    return f"make bench-{name}" + (f' ARGS="{shlex.join(words)}"' if words else "")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _replace(name: str, text: str) -> None:
    """Raises SystemExit where the page has no place for it."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    page = PAGE.read_text(encoding="utf-8")
    if begin not in page or end not in page:
        sys.exit(f"{PAGE} has no lines {begin} and {end} to put the results between")
    head, _, rest = page.partition(begin)
    PAGE.write_text(f"{head}{begin}\n\n{text}\n\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - /proc
        return file.read()
