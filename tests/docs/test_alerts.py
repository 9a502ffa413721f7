import json
import re
import tomllib
from pathlib import Path

from healthd.alerts.command import standard_input, variables
from healthd.config.values import CommandConfig, MailConfig
from healthd.events import ALERTED_BY_DEFAULT, KINDS
from tests.healthd.alerts.making import batch, down

PAGE = (Path(__file__).parents[2] / "docs/alerts.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_every_event_is_in_the_table() -> None:
    """Each kind with its severity, and whether it is told unless the alert says otherwise, in the order of the code."""
    rows = re.findall(r"^\| `(\w+)` \| (info|warning|critical) \| (yes)? ?\| .+ \|$", PAGE, re.MULTILINE)
    assert rows == [
        (kind, event.severity.name.lower(), "yes" if kind in ALERTED_BY_DEFAULT else "")
        for kind, event in KINDS.items()
    ]


def test_every_variable_is_in_the_table() -> None:
    """The environment of a hook is what the page says."""
    table = PAGE.partition("| variable | value |")[2].partition("\n\n")[0]
    assert set(re.findall(r"HEALTHD_\w+", table)) == set(variables(batch(down())))


def test_the_json_is_what_a_hook_gets() -> None:
    """The example is the program's own output, but for the name of the alert."""
    shown = json.loads(block("json"))
    assert shown | {"alert": "ops"} == json.loads(standard_input(batch(down()), "lb1"))


def test_the_example_uses_known_keys() -> None:
    """Every option of the example is one of the configuration's, and each of those is explained."""
    alerts = tomllib.loads(block("toml"))["alert"]
    common = {"type", "events", "services", "burst"}
    mail = (set(MailConfig.__dataclass_fields__) - {"sender"}) | {"from"}
    command = set(CommandConfig.__dataclass_fields__)
    assert set(alerts["ops"]) <= common | mail
    assert set(alerts["pager"]) <= common | command
    explained = set(re.findall(r"`(\w+)`", PAGE.partition("## Options")[2].partition("\n\nAn event")[0]))
    assert (common | mail | command) - {"type"} <= explained
