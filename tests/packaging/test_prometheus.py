"""What is shipped for Prometheus and Grafana, judged by Prometheus's own tool and by the page that healthd makes."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from healthd.metrics.daemon import EventCounter, of_daemon
from healthd.metrics.servers import of_servers, of_services
from healthd.metrics.text import Family, lines
from healthd.model import Connections
from tests.support.building import A, service
from tests.support.controlling import Running, table
from tests.support.metrics import INSIDE, promtool

SHIPPED = Path(__file__).parents[2] / "packaging"
RULES = SHIPPED / "prometheus" / "healthd.rules.yml"
DASHBOARD = SHIPPED / "grafana" / "healthd.json"


def families() -> dict[str, Family]:
    """All that healthd can show, by name."""
    run = Running(service(A), actual=table((A, 1)))
    run.ask(A, "P")
    snapshot, counts = run.controller.snapshot, {"192.168.7.110:80/tcp": {A: Connections()}}
    transitions = {("web", str(A)): {("up", "L7OK"): 1}}
    servers = of_servers(snapshot, counts, transitions)
    shown = [*of_daemon(INSIDE, EventCounter(run.bus)), *of_services(snapshot), *servers]
    return {family.name: family for family in shown}


def names_in(text: str) -> set[str]:
    found = set(re.findall(r"\b(?:healthd|process)_[a-z_]+", text))
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in found}


def expressions() -> list[str]:
    dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_the_rules_do_what_their_tests_say() -> None:
    """Each rule fires when it should, says what it should, and is silent otherwise."""
    done = subprocess.run(
        [promtool(), "test", "rules", "healthd.rules.test.yml"],
        cwd=RULES.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "SUCCESS" in done.stdout) == (0, True), done.stdout + done.stderr


def test_every_rule_has_a_test() -> None:
    """A rule that nobody has seen firing is none."""
    rules = re.findall(r"- alert: (\w+)", RULES.read_text())
    tested = re.findall(r"alertname: (\w+)\n\s+exp_alerts:\n", RULES.with_name("healthd.rules.test.yml").read_text())
    assert len(rules) == 12
    assert set(rules) == set(tested)


def test_the_rules_use_what_there_is() -> None:
    """Every name in a rule is one of the page's."""
    expressions = re.findall(r"expr: (.*)", RULES.read_text())
    assert names_in("\n".join(expressions)) <= families().keys()


def test_the_dashboard_uses_what_there_is() -> None:
    """Every name in a panel is one of the page's, and every panel has a place of its own."""
    assert names_in("\n".join(expressions())) <= families().keys()
    dashboard = json.loads(DASHBOARD.read_text())
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"]) > 10
    taken = [
        (x, y)
        for panel in dashboard["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))


@pytest.mark.parametrize("expression", expressions())
def test_the_dashboards_expressions_are_good(expression: str, tmp_path: Path) -> None:
    """Prometheus's own parser takes each."""
    plain = re.sub(r"\$\w+", ".*", expression)
    rules = {"groups": [{"name": "x", "rules": [{"record": "x", "expr": plain}]}]}
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(rules))
    done = subprocess.run([promtool(), "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_is_as_prometheus_wants_it() -> None:
    """`promtool check metrics` has nothing to say of names, kinds and helps.

    Some releases of it have of one that is HAProxy's name, since it looks like that of a counter.
    """
    text = "".join(line for family in families().values() for line in lines(family))
    done = subprocess.run([promtool(), "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert said in ("", "healthd_realserver_health_counter metric name should not include type 'counter'\n")
