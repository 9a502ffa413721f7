"""The reference pages name every key, option and code that there is."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from checkers import BUILTIN
from checkers.base import Code
from checkers.registry import find
from healthd import verdict
from healthd.config.models import ControlTable, HealthdTable, ServerTable, ServiceTable
from healthd.control.failures import HTTP
from healthd.control.routes import ROUTES

DOCS = Path(__file__).parents[2] / "docs"


def named(page: str) -> set[str]:
    """The words in backticks that a page's tables begin with, and its headings."""
    text = (DOCS / page).read_text()
    cells = re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE)
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    return {word for cell in (*cells, *headings) for word in re.findall(r"\w+", cell)}


def test_every_key_of_the_configuration_is_in_the_reference() -> None:
    """docs/configuration.md has a row for each key of [healthd], of [control], of a service and of a server."""
    keys = {
        *ControlTable.__annotations__,
        *HealthdTable.__annotations__,
        *ServiceTable.__annotations__,
        *ServerTable.__annotations__,
    }
    keys |= {"interval", "fast_interval", "timeout", "fall", "rise"}
    assert keys - named("configuration.md") == set()


@pytest.mark.parametrize("kind", BUILTIN)
def test_every_kind_and_option_is_in_the_reference(kind: str) -> None:
    """docs/checks.md names each built-in kind and each of its options."""
    options = {field.name for field in dataclasses.fields(find(kind, None)) if field.init}
    text = (DOCS / "checks.md").read_text()
    unnamed = {option for option in options if f"`{option}`" not in text and f"`{option} = " not in text}
    assert kind in named("checks.md")
    assert unnamed == set()


def test_every_kind_has_been_tried_against_something() -> None:
    """docs/checks.md has a table that says of each kind what it was tested against."""
    text = (DOCS / "checks.md").read_text()
    table = text.partition("## Tested against")[2].partition("\n## ")[0]
    first = "".join(row.split("|")[1] for row in table.splitlines() if row.startswith("| `"))
    assert sorted(re.findall(r"`(\w+)`", first)) == sorted(BUILTIN)


def test_the_state_diagram_is_that_of_the_code() -> None:
    """The README shows the diagram that stands above the rules of healthd/verdict.py."""
    documented = [line.strip() for line in (verdict.__doc__ or "").splitlines()]
    first = next(n for n, line in enumerate(documented) if line.startswith("passed"))
    diagram = [" ".join(line.split()) for line in documented[first : first + 6]]
    readme = [" ".join(line.split()) for line in (DOCS.parent / "README.md").read_text().splitlines()]
    assert diagram == readme[readme.index(diagram[0]) :][:6]
    assert "UNDECIDED ------> UP" in diagram[1]


def test_every_code_is_in_the_reference() -> None:
    """docs/checks.md explains each code that a built-in check can give."""
    assert set(Code) - named("checks.md") == set()


def test_every_path_and_failure_of_the_control_interface_is_in_the_reference() -> None:
    """docs/control.md names each path of the API, each field of an act, and each status of a failure."""
    text = (DOCS / "control.md").read_text()
    paths = {re.sub(r"{(\w+)}", lambda name: name[1].upper(), route.path) for route in ROUTES}
    known = {path for path in paths if path.startswith(("/api/", "/health", "/ready", "/metrics", "/openapi"))}
    assert {path for path in known if f"{path}`" not in text} == {"/api/v1/logout"}
    api = [route for route in ROUTES if route.path.startswith("/api/")]
    fields = {param.name for route in api for param in (*route.body, *route.query)}
    assert {field for field in fields if not re.search(rf"[`?]{field}\b", text)} == {"token"}
    assert {status for status in HTTP if f"`{status}`" not in text} == set()
