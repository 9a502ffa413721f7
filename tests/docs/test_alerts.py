import json
import re
from pathlib import Path
from typing import get_type_hints

from healthd.alerts.command import standard_input, variables
from healthd.config import load
from healthd.config.alertfields import TEMPLATE_FIELDS
from healthd.config.alerts import MODELS
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


def test_the_examples_are_good_and_every_key_is_explained(tmp_path: Path) -> None:
    """Every example of an alert loads, once its files are there, and each key of each type stands in the table."""
    texts = [text for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[alert." in text]
    for name in re.findall(r"/etc/healthd/([\w.]+)", "".join(texts)):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o600)
    services = "".join(
        f'[service.{name}]\nvirtual = "10.0.0.1:{port}"\ncheck = {{ type = "tcp" }}\nserver = []\n'
        for port, name in enumerate(("web", "shop-1"), 80)
    )
    (tmp_path / "healthd.toml").write_text(services + "".join(texts).replace("/etc/healthd", str(tmp_path)))
    assert {alert.kind for alert in load(tmp_path / "healthd.toml").alerts} == set(MODELS)
    explained = set(re.findall(r"`(\w+)`", PAGE.partition("## Options")[2].partition("\n\nFiles with")[0]))
    assert {key for model in MODELS.values() for key in get_type_hints(model)} - {"type"} <= explained


def test_every_field_of_a_template_is_explained() -> None:
    """And none that there is not."""
    named = set(re.findall(r"`\$(\w+)`", PAGE.partition("The fields: ")[2].partition("\n\n")[0]))
    assert named == set(TEMPLATE_FIELDS)
