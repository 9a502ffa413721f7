import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthd.cli import completing
from tests.healthd.cli.processes import ROOT, called, environment
from tests.support import control_answers as made
from tests.support.control_stub import Stub
from tests.support.terminal import Terminal

SHELLS = ("bash", "zsh", "fish")
PATIENCE = 60.0
"""Seconds for an answer: on a busy machine it may take longer than somebody who has pressed TAB would wait."""
PROGRAM = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(ROOT)!r})
from healthd.cli import completing, main
completing.PATIENCE = {PATIENCE}
main(sys.argv[1:])
"""
HAS_BASH = pytest.mark.skipif(shutil.which("bash") is None, reason="bash itself reads its script")


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    with Stub(tmp_path / "s") as running:
        web = made.service(made.server("10.0.0.1"), made.server("10.0.0.2"), name="web")
        mail = made.service(made.server("10.0.0.3"), name="mail")
        running.answers["GET /api/v1/status"] = made.status(web, mail, alerts=[{"name": "ops"}, {"name": "pager"}])
        yield running


def offered(socket: Path | str, *words: str) -> list[str]:
    """What bash is given after these words and TAB; anything on standard error would spoil the line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(completing, "PATIENCE", PATIENCE)
        patch.setenv("_HEALTHD_COMPLETE", "bash_complete")
        patch.setenv("COMP_WORDS", " ".join(("healthd", *words)))
        patch.setenv("COMP_CWORD", str(len(words)))
        patch.setenv("HEALTHD_SOCKET", str(socket))
        done = called()
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_live_names(stub: Stub) -> None:
    """Services, servers and channels of the daemon that runs."""
    assert offered(stub.path, "drain", "w") == ["web/10.0.0.1:80", "web/10.0.0.2:80"]
    assert offered(stub.path, "status", "m") == ["mail", "mail/10.0.0.3:80"]
    assert offered(stub.path, "show", "web/10.0.0.2") == ["web/10.0.0.2:80"]
    assert offered(stub.path, "alert", "test", "o") == ["ops"]
    assert "drain" in offered(stub.path, "dr")


def test_words_that_an_option_takes(stub: Stub) -> None:
    """States, of which several can be given, and kinds of events."""
    assert offered(stub.path, "status", "--state", "d") == ["down", "drain"]
    assert offered(stub.path, "status", "--state", "down,d") == ["down,drain"]
    assert offered(stub.path, "history", "--kind", "server_") == ["server_admitted", "server_down", "server_up"]


def test_the_socket_of_the_command_is_asked(stub: Stub) -> None:
    """The one that is written in it already."""
    assert offered("/nonexistent", "drain", "--socket", str(stub.path), "m") == ["mail/10.0.0.3:80"]


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 500 Oops\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n[]", b"\x00"])
def test_silence(stub: Stub, answer: bytes) -> None:
    """Nobody there, or nobody who makes sense: nothing is offered and nothing is said."""
    stub.answers["GET /api/v1/status"] = answer
    assert offered(stub.path, "drain", "w") == []
    assert offered("/nonexistent", "drain", "w") == []


def test_very_many_servers(stub: Stub) -> None:
    """Only the services are offered at first, so that the daemon is not asked for everything at each TAB."""
    content = stub.answers["GET /api/v1/status"]
    content["totals"]["servers"] = 10_000
    assert offered(stub.path, "drain", "w") == ["web/"]
    assert offered(stub.path, "drain", "web/") == ["web/10.0.0.1:80", "web/10.0.0.2:80"]
    assert stub.asked[-1][1] == {"service": ["web"]}


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts(shell: str) -> None:
    """One for each shell, which has the program asked."""
    done = called("completion", shell)
    assert done.returncode == 0
    assert "_HEALTHD_COMPLETE" in done.stdout
    assert called("completion", "tcsh").returncode == 64


@HAS_BASH
def test_in_bash(stub: Stub, tmp_path: Path) -> None:
    """As it is typed: the colon before a port, which ends a word to bash, neither hides nor doubles anything."""
    program = tmp_path / "healthd"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    script = tmp_path / "completion.bash"
    script.write_text(called("completion", "bash").stdout)
    path = f"{tmp_path}:{os.environ['PATH']}"
    variables = environment(HEALTHD_SOCKET=str(stub.path), PATH=path, PS1="$ ")
    with Terminal(("bash", "--norc", "--noprofile"), 100, 24, variables) as terminal:
        terminal.shows("$")
        terminal.type(f"source {script}; echo rea''dy\n")
        terminal.shows("ready")
        terminal.type("healthd drain web/10.0.0.1\t")
        terminal.shows("healthd drain web/10.0.0.1:80")
        terminal.type("web/10.0.0.2:\t")
        terminal.shows("web/10.0.0.1:80 web/10.0.0.2:80")
        terminal.type("\x15healthd thaw --sock\t")
        terminal.shows("healthd thaw --socket")
