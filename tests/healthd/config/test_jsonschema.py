from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli

from checkers.registry import kinds
from healthd.config import schema
from healthd.events import KINDS
from healthd.model import SCHEDULERS

EXAMPLES = sorted((Path(__file__).parents[3] / "conf.d").glob("*.toml"))

GOOD = """
[service.web]
virtual = "192.168.7.110:80"
check = [{ type = "tcp", timeout = "1s" }, "named", { type = "mine:Own", colour = "red" }]
fallback = "192.168.7.99:80"
server = [{ address = "192.168.7.11", weight = 2 }]
"""


@pytest.fixture(scope="module")
def validator() -> Any:
    made = schema()
    jsonschema.Draft7Validator.check_schema(made)
    return jsonschema.Draft7Validator(made)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: str(file.name))
def test_the_examples_follow_the_schema(validator: Any, file: Path) -> None:
    """What healthd takes, an editor does not underline."""
    assert [error.message for error in validator.iter_errors(tomli.loads(file.read_text()))] == []


def test_there_are_examples() -> None:
    """The test above has something to read."""
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("virtual", "vritual"),
        ('"192.168.7.110:80"', "80"),
        ("weight = 2", "weight = 65536"),
        ('address = "192.168.7.11", ', ""),
        ('timeout = "1s"', 'timeout = "1"'),
        ('timeout = "1s"', "prot = 1"),
        ('timeout = "1s"', 'port = "80"'),
        ('type = "tcp"', 'type = "tpc"'),
        ('type = "tcp", timeout = "1s"', 'type = "command"'),
        ("fallback", "fwmark = 5\nfallback"),
        ("fallback", 'scheduler = "wcl"\nfallback'),
        ("[service.web]", "[servcie.web]"),
    ],
)
def test_the_schema_refuses_what_healthd_refuses(validator: Any, old: str, new: str) -> None:
    """Types, bounds, names and required keys are known to an editor."""
    assert validator.is_valid(tomli.loads(GOOD))
    assert not validator.is_valid(tomli.loads(GOOD.replace(old, new, 1)))


def test_an_editor_can_offer_names_and_defaults() -> None:
    """Choices, defaults and descriptions are in the schema, for the options of checks too."""
    tables = schema()["$defs"]
    service = tables["ServiceTable"]["properties"]
    assert service["scheduler"]["enum"] == list(SCHEDULERS)
    assert all(option.get("description") for option in service.values())
    assert tables["HealthdTable"]["properties"]["resync"]["default"] == "10s"
    assert tables["Inherited"]["properties"]["interval"]["default"] == "5s"
    assert tables["MailTable"]["properties"]["events"]["items"]["enum"] == list(KINDS)
    options = {kind["properties"]["type"].get("const"): kind["properties"] for kind in tables["Check"]["oneOf"]}
    assert set(options) == {*kinds(), None}
    assert options["http"]["status"]["default"] == "200-299"
    assert "good ones" in options["http"]["status"]["description"]
    assert options["always"]["state"]["enum"] == ["up", "down"]
