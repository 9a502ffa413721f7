"""A page in the macros of man(7), and text in it: plain prose with `names` in backquotes."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterable
from datetime import UTC, datetime

_SPECIAL = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
_WIDTH = 76


class Page:
    """`section` is that of the manual. What is added comes out in the same order."""

    def __init__(self, name: str, section: int, summary: str) -> None:
        self.name = name
        self.section = section
        self._lines = [f'.TH {name.upper()} {section} "{_date()}" healthd "healthd manual"']
        self.heading("NAME")
        self._lines.append(f"{escaped(name)} \\- {escaped(summary)}")

    def heading(self, text: str) -> None:
        self._lines.append(f".SH {_argument(text)}")

    def subheading(self, text: str) -> None:
        self._lines.append(f".SS {_argument(text)}")

    def paragraph(self, text: str) -> None:
        self._lines += [".PP", *_lines(text)]

    def prose(self, text: str) -> None:
        """Paragraphs with empty lines between them; one that is indented or has click's mark stands as it is."""
        for block in re.split(r"\n\s*\n", text.strip("\n")):
            if block.startswith("\b"):
                self.literal(block.partition("\n")[2])
            elif block.startswith("    "):
                self.literal(textwrap.dedent(block))
            else:
                self.paragraph(block)

    def item(self, term: str, text: str) -> None:
        self._lines += [".TP", f".B {_argument(term)}", *_lines(text or " ")]

    def items(self, items: Iterable[tuple[str, str]]) -> None:
        for term, text in items:
            self.item(term, text)

    def literal(self, text: str) -> None:
        self._lines += [".PP", ".RS 4", ".nf", *(_safe(escaped(line)) or r"\&" for line in text.splitlines())]
        self._lines += [".fi", ".RE"]

    @property
    def text(self) -> str:
        lines = [line for line, before in zip(self._lines, ["", *self._lines], strict=False) if not _idle(line, before)]
        return "\n".join(lines) + "\n"


def _idle(line: str, before: str) -> bool:
    """A paragraph begins by itself after a heading."""
    return line == ".PP" and before.startswith((".SH", ".SS"))


def escaped(text: str) -> str:
    """Every character as itself, also on paper and when it is copied from a terminal."""
    return "".join(_SPECIAL.get(char, char if ord(char) < 128 else f"\\[u{ord(char):04X}]") for char in text)


def _argument(text: str) -> str:
    return '"' + escaped(text).replace('"', r"\(dq") + '"'


def _lines(text: str) -> list[str]:
    """Filled text, with what stands in backquotes in bold."""
    marked = "".join(
        f"\\fB{escaped(part)}\\fR" if number % 2 else escaped(part)
        for number, part in enumerate(" ".join(text.split()).split("`"))
    )
    return [_safe(line) for line in textwrap.wrap(marked, _WIDTH, break_on_hyphens=False, break_long_words=False)]


def _safe(line: str) -> str:
    """A line of text that begins like a request is none."""
    return rf"\&{line}" if line.startswith((".", "'")) else line


def _date() -> str:
    """Of the source, where a build says it: reproducible-builds.org/specs/source-date-epoch."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return (datetime.now(UTC) if epoch is None else datetime.fromtimestamp(int(epoch), UTC)).strftime("%Y-%m-%d")
