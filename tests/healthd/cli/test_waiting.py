"""`drain --wait` while connections end, against a daemon that counts as the test wants."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.healthd.cli.processes import COMMAND, called, environment
from tests.support import control_answers as made
from tests.support.control_stub import Stub, one_after_the_other
from tests.support.terminal import Terminal

STATUS = "GET /api/v1/status"
NAME = "web/10.0.0.1:80"


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    with Stub(tmp_path / "s") as running:
        running.answers["POST /api/v1/drain"] = {"done": ["web: server 10.0.0.1:80 drained by ann"], "edits": []}
        yield running


def drained(active: int, **more: Any) -> Any:
    override = made.override(**more)
    server = made.server(state="drain", weight=0, active=active, inactive=0, override=override)
    return made.status(made.service(server, made.server("10.0.0.2")))


def test_counts_fall(stub: Stub) -> None:
    """Every change is a line, until there is nobody left; what was asked for goes to the daemon."""
    stub.answers[STATUS] = one_after_the_other(drained(12), drained(12), drained(3), drained(0))
    done = called("drain", NAME, "--wait", "--max", "5m", "--reason", "why", "--socket", stub.path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "web: server 10.0.0.1:80 drained by ann",
        f"{NAME}: 12 active, 0 inactive, 0 persistent",
        f"{NAME}: 3 active, 0 inactive, 0 persistent",
        f"{NAME}: no connection left",
    ]
    assert stub.asked[0][2] == {"servers": [NAME], "limit": 300.0, "reason": "why", "force": False}


def test_cut_in_the_end(stub: Stub) -> None:
    """After --max the daemon cuts what is left: done all the same."""
    stub.answers[STATUS] = one_after_the_other(drained(5, until=made.AT + 20), drained(5, cut=True))
    done = called("drain", NAME, "--wait", "--socket", stub.path)
    assert done.returncode == 0
    assert "5 active, 0 inactive, 0 persistent; cut in 20s" in done.stdout
    assert done.stdout.endswith("cut from the table, its time was over\n")


def test_somebody_interferes(stub: Stub) -> None:
    """Status 1; and an answer from just before the act is no interference."""
    up = made.status(made.service(made.server()))
    stub.answers[STATUS] = one_after_the_other(up, drained(5), up)
    done = called("drain", NAME, "--wait", "--socket", stub.path)
    assert done.returncode == 1
    assert "5 active" in done.stdout
    assert "somebody has ended the drain: it is up" in done.stdout


def test_an_absence_of_the_daemon(stub: Stub) -> None:
    """A restart is waited for."""
    stub.answers[STATUS] = one_after_the_other(drained(5), b"", drained(0))
    assert called("drain", NAME, "--wait", "--socket", stub.path).returncode == 0


def test_for_programs(stub: Stub) -> None:
    """One object at the end, and meanwhile lines on standard error."""
    stub.answers[STATUS] = one_after_the_other(drained(5), drained(0))
    done = called("drain", NAME, "--wait", "--format", "json", "--socket", stub.path)
    assert json.loads(done.stdout) == {
        "done": ["web: server 10.0.0.1:80 drained by ann"],
        "edits": [],
        "servers": [{"server": NAME, "ended": "no connection left", "well": True}],
    }
    assert "5 active" in done.stderr


def test_interrupted(stub: Stub) -> None:
    """Ctrl-C ends the waiting alone, and says so."""
    stub.answers[STATUS] = drained(5)
    command = (*COMMAND, "drain", NAME, "--wait", "--socket", str(stub.path))
    with Terminal(command, 100, 24, environment()) as terminal:
        terminal.shows("5 active")
        terminal.interrupt()
        assert terminal.ended() == 130
        assert f"The drain goes on without this command; `healthd ready {NAME}` ends it." in terminal.text
