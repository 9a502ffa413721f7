import re
from typing import Any

import pytest

from healthd.cli import answers, nagios
from healthd.cli.nagios import Level
from tests.support import control_answers as made


def said(content: Any) -> tuple[Level, str]:
    status = answers.status(content)
    servers = list(status.servers)
    return nagios.level(status, status.services, servers), nagios.line(status, status.services, servers)


UP, DOWN = made.server(), made.server("10.0.0.2", "down")


@pytest.mark.parametrize(
    ("content", "level"),
    [
        (made.status(made.service(UP)), Level.OK),
        (made.status(made.service(UP, made.server("10.0.0.2", state="drain"))), Level.OK),
        (made.status(made.service(UP, DOWN)), Level.WARNING),
        (made.status(made.service(UP, made.server("10.0.0.2", "unknown"))), Level.WARNING),
        (made.status(made.service(UP, min_available=2)), Level.WARNING),
        (made.status(made.service(UP), unusual=("frozen by ann",)), Level.WARNING),
        (made.status(made.service(DOWN)), Level.CRITICAL),
        (made.status(made.service(UP), table={"ok": False}), Level.CRITICAL),
    ],
)
def test_levels(content: Any, level: Level) -> None:
    """Lost services and a wrong table are critical; what an operator took out is no trouble."""
    assert said(content)[0] == level


def test_the_line() -> None:
    """One line: the level, what is wrong, and performance data in the plugin guidelines' form."""
    _, line = said(made.status(made.service(UP, DOWN), unusual=("odd | bar\nline",)))
    text, _, data = line.partition(" | ")
    assert text == "HEALTHD WARNING - 1 down: web/10.0.0.2:80; odd / bar\\nline"
    assert all(re.fullmatch(r"'\w+'=[0-9.]+s?(;[0-9.]*){4}", part) for part in data.split())
    assert "'down'=1;;;0;2" in data


def test_a_long_line_is_kept_short() -> None:
    """A pager shows the first names and how many there are."""
    _, line = said(made.status(made.service(*(made.server(f"10.0.0.{n}", "down") for n in range(20)))))
    assert "20 down: web/10.0.0.0:80, web/10.0.0.1:80" in line
    assert "and 15 more" in line
