import json

import pytest

from checkers.tcp import Tcp
from healthd.cli.config import down_within
from healthd.config.values import CheckConfig
from healthd.model import Threshold
from tests.healthd.cli.configurations import Site
from tests.healthd.cli.processes import called, healthd


def test_a_good_one(site: Site) -> None:
    """Status 0: every check with the time in which it takes a server out, and the counts in the last line."""
    site.service("web", site.port(), site.port())
    site.service("app", site.port(), check='[{ type = "tcp" }, { type = "always" }]', more='interval = "10s"')
    done = healthd("config", "check", "-c", site.path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split("  ")[0] == "SERVICE"
    assert [line.split() for line in lines[1:4]] == [
        ["web", "192.0.2.1:80/tcp", "2", "tcp", "tcp", "3", "2", "11s"],
        ["app", "192.0.2.2:80/tcp", "1", "tcp", "tcp", "3", "2", "16s"],
        ["always", "always", "3", "2", "16s"],
    ]
    assert lines[-1] == f"{site.path}: good: 2 services, 3 servers, 4 checks"


def test_warnings(site: Site) -> None:
    """A warning is told and does no harm to the status."""
    site.service("web", site.port(), more='timeout = "20s"')
    done = called("config", "check", "-c", site.path)
    assert (done.returncode, done.stderr) == (0, "")
    *_, warning, last = done.stdout.splitlines()
    assert warning.startswith(f"warning: {site.path}:")
    assert last.endswith("good: 1 service, 1 server, 1 check, 1 warning")


def test_a_bad_one(site: Site) -> None:
    """Status 78: all messages in one go on standard error, and in JSON where that is asked for."""
    site.write(site.path.read_text() + '[service.web]\nvirtual = 80\nweight = 1\ncheck = "gone"\n')
    done = healthd("config", "check", "-c", site.path)
    assert (done.returncode, done.stdout) == (78, "")
    messages = done.stderr.splitlines()
    assert len(messages) >= 3
    as_json = called("config", "check", "-c", site.path, "--format", "json")
    assert as_json.returncode == 78
    assert json.loads(as_json.stdout) == {"errors": messages, "warnings": [], "exit": 78}


def test_json(site: Site) -> None:
    """What the table says, for programs."""
    site.service("web", site.port())
    done = called("config", "check", "-c", site.path, "--format", "json")
    assert json.loads(done.stdout) == {
        "services": [
            {
                "name": "web",
                "virtual": "192.0.2.1:80/tcp",
                "servers": 1,
                "checks": [{"name": "tcp", "type": "tcp", "down_within": 11.0}],
            }
        ],
        "errors": [],
        "warnings": [],
        "exit": 0,
    }


def test_schema() -> None:
    """A JSON Schema, and nothing else, on standard output."""
    done = called("config", "schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert {"$schema", "properties"} <= json.loads(done.stdout).keys()


@pytest.mark.parametrize(
    ("fall", "fast_interval", "timeout", "expected"),
    [
        (Threshold(1, 1), 1.0, 3.0, 13.0),
        (Threshold(3, 3), 4.0, 3.0, 10 + 4 + 4 + 3),
        (Threshold(3, 3), 1.0, 3.0, 10 + 3 + 3 + 3),
        (Threshold(2, 2), 2.0, 3.0, 10 + 3 + 3),
        (Threshold(2, 5), 1.0, 0.5, 10 + 1 + 0.5),
    ],
)
def test_down_within(fall: Threshold, fast_interval: float, timeout: float, expected: float) -> None:
    """One interval, each failing check `fast_interval` or a timeout after the one before, the last timeout."""
    check = CheckConfig(
        name="c",
        kind="tcp",
        checker=Tcp(),
        interval=10.0,
        fast_interval=fast_interval,
        timeout=timeout,
        fall=fall,
        rise=Threshold(2, 2),
    )
    assert down_within(check) == expected
