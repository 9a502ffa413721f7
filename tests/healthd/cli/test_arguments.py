"""Every option of the commands that ask a daemon, with a value that it cannot take."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.healthd.cli.processes import called
from tests.support import control_answers as made
from tests.support.control_stub import Stub

NAME = "web/10.0.0.1:80"


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    with Stub(tmp_path / "s") as running:
        running.answers["GET /api/v1/status"] = made.status(made.service(made.server()))
        yield running


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("statsu",), """No such command 'statsu'; did you mean "status"?"""),
        (("xyzzy",), "No such command 'xyzzy'; `healthd --help` lists them"),
        (("status", "--watch", "nan"), 'expected seconds from 0.2 to 3600, not "nan"'),
        (("status", "--watch", "0"), 'expected seconds from 0.2 to 3600, not "0"'),
        (("status", "--watch", "web"), "names stand before --watch"),
        (("status", "--state", "ill"), '"ill" is no state: expected up, down, unknown, drain, maintenance'),
        (("status", "--format", "xml"), "'xml' is not one of"),
        (("top", "-n", "inf"), 'expected seconds from 0.2 to 3600, not "inf"'),
        (("top", "-s", "name"), "'name' is not one of"),
        (("history", "-n", "0"), 'expected a whole number from 1 to 100000, not "0"'),
        (("history", "-n", "many"), 'expected a whole number from 1 to 100000, not "many"'),
        (("history", "--since", "noon"), 'expected a time such as "2h" (ago)'),
        (("events", "-n", "1e9"), 'expected a whole number from 0 to 10000, not "1e9"'),
        (("explain", NAME, "--at", "noon"), 'expected a time such as "2h" (ago)'),
        (("drain", NAME, "--max", "5"), 'did you mean "5s"?'),
        (("maint", NAME, "--ttl", "0s"), 'must be from "1ms" to "31d", not "0s"'),
        (("weight", NAME, "65536"), "expected a number from 0 to 65535"),
        (("weight", NAME, "1001%"), "from 0% to 1000%"),
        (("weight", NAME, "nan%"), '"nan%" is no weight'),
        (("freeze", "--ttl", "soon"), "the units are ms, s, m, h and d"),
        (("completion", "tcsh"), "'tcsh' is not one of"),
    ],
)
def test_wrong_values(stub: Stub, arguments: tuple[str, ...], said: str) -> None:
    """Status 64, nothing asked of the daemon, and one message that says what was expected."""
    place = ("--socket", str(stub.path)) if arguments[0] not in {"statsu", "xyzzy", "completion"} else ()
    done = called(*arguments, *place)
    assert (done.returncode, done.stdout, stub.asked) == (64, "", [])
    assert said in done.stderr
    assert done.stderr.count("Error: ") == 1


def test_seconds_with_a_unit(stub: Stub) -> None:
    """As everywhere else."""
    done = called("status", "--watch", "5s", "--format", "json", "--socket", stub.path)
    assert "--watch draws text" in done.stderr


def test_lines_of_help_that_stand_for_themselves() -> None:
    """Are not run together."""
    assert '\n  zsh:  healthd completion zsh > "${fpath[1]}/_healthd"\n' in called("completion", "--help").stdout


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"done": ["ops: arrived"], "edits": []}, 0),
        ({"done": ["ops: arrived"], "edits": [], "failed": ["chat: did not arrive: HTTP 404"]}, 1),
        ({"done": [], "edits": []}, 66),
    ],
)
def test_what_came_of_a_test_of_alerts(stub: Stub, answer: dict[str, list[str]], status: int) -> None:
    """A script can rely on the status; both what arrived and what did not are shown."""
    stub.answers["POST /api/v1/alert-test"] = answer
    done = called("alert", "test", "--socket", stub.path)
    assert done.returncode == status
    assert done.stdout.splitlines() == [*answer["done"], *answer.get("failed", [])]
    as_json = called("alert", "test", "--format", "json", "--socket", stub.path)
    assert json.loads(as_json.stdout) == answer
