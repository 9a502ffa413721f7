from pathlib import Path
from typing import Any

from tests.healthd.cli.processes import COMMAND, environment, healthd
from tests.support import control_answers as made
from tests.support.control_stub import Stub
from tests.support.terminal import Terminal

UP = made.server("10.0.0.1")
DOWN = made.server("10.0.0.2", "down")
STATUS = "GET /api/v1/status"


def top(stub: Stub, columns: int = 120, rows: int = 24) -> Terminal:
    command = (*COMMAND, "top", "-n", "0.2", "--socket", str(stub.path))
    return Terminal(command, columns, rows, environment())


def test_a_session(tmp_path: Path) -> None:
    """It follows what happens, answers its keys, follows the window, and outlives the daemon."""
    with Stub(tmp_path / "s") as stub:
        stub.answers[STATUS] = made.status(made.service(UP, made.server("10.0.0.2")))
        stub.answers["GET /api/v1/latency/web/10.0.0.2%3A80"] = {
            "points": [{"at": 1, "count": 5, "fails": 0, "mean": 0.004, "max": 0.007}]
        }
        with top(stub) as terminal:
            terminal.shows("2 up")
            stub.answers[STATUS] = made.status(made.service(UP, DOWN))
            terminal.shows("1 up, 1 down")
            terminal.until(lambda: terminal.style("10.0.0.2:80") == "red reversed")
            terminal.type("?")
            terminal.shows("Keys of healthd top")
            terminal.type(" s")
            terminal.shows("2 servers by service")
            terminal.type("j\n")
            terminal.shows("0 in the table, 2 configured")
            terminal.shows("last hour")
            terminal.resize(80, 20)
            terminal.shows("by service")
            terminal.type("\x1b/0.0.1\n")
            terminal.shows('1 server by service, with "0.0.1"')
            stub.answers[STATUS] = b""
            terminal.shows("UNREACHABLE since")
            stub.answers[STATUS] = made.status(made.service(UP))
            terminal.shows("1 service, 1 server: 1 up")
            terminal.type("q")
            assert terminal.ended() == 0


def refusal(handler: Any) -> Any:
    handler.server.status = 403
    return {"error": {"status": "forbidden", "messages": ["the token has ended"]}}


def test_a_daemon_that_refuses(tmp_path: Path) -> None:
    """The terminal is given back before anything is said."""
    with Stub(tmp_path / "s") as stub:
        stub.answers[STATUS] = made.status(made.service(UP))
        with top(stub) as terminal:
            terminal.shows("1 up")
            stub.answers[STATUS] = refusal
            assert terminal.ended() == 77
            assert terminal.lines[-1] == "healthd: the token has ended"


def test_without_a_terminal() -> None:
    """Status 64, and what to use instead."""
    done = healthd("top", "--socket", "/nonexistent")
    assert done.returncode == 64
    assert "healthd status" in done.stderr
