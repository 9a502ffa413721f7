"""The text form of metrics, as Prometheus describes it under "exposition formats" (version 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


Sample = tuple[str, float]
"""What follows the family's name, which are labels as `labelled` makes them, and before them its suffix; the value."""


class Family(NamedTuple):
    """`kind` is counter, gauge or histogram. A counter's name ends with _total."""

    name: str
    kind: str
    help: str
    samples: Iterable[Sample]


def labelled(labels: Mapping[str, str]) -> str:
    """`{service="web",server="10.0.0.1:80"}`, with what the form demands escaped; empty without labels."""
    if not labels:
        return ""
    return "{" + ",".join([f'{name}="{_escaped(value)}"' for name, value in labels.items()]) + "}"


def _escaped(value: str) -> str:
    plain = value.isprintable() and '"' not in value and "\\" not in value  # as nearly every label is
    return value if plain else value.translate(_ESCAPES)


def lines(family: Family) -> Iterator[str]:
    """The family's lines, each with its end; none for one without samples."""
    name, kind, text, samples = family
    head = f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
    for what, value in samples:
        yield f"{head}{name}{what} {value}\n" if head else f"{name}{what} {value}\n"
        head = ""


def histogram(
    labels: Mapping[str, str], bounds: tuple[float, ...], counts: tuple[int, ...], total: float
) -> Iterator[Sample]:
    """The samples of one histogram; `counts` has a number for each class, and one for what is above all bounds."""
    seen = 0
    for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
        seen += count
        yield "_bucket" + labelled({**labels, "le": bound}), seen
    plain = labelled(labels)
    yield "_sum" + plain, total
    yield "_count" + plain, seen
