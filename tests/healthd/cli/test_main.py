import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from healthd import __version__
from healthd.cli import COMMANDS
from tests.healthd.cli.configurations import Site
from tests.healthd.cli.processes import COMMAND, ROOT, called, environment, healthd

HEAVY = {"asyncio", "pydantic", "rich", "dns", "aiosmtplib", "importlib.metadata"}


def test_help_is_cheap() -> None:
    """The list of commands imports none of them, nor any library that one of them needs."""
    program = f"""
import sys
from healthd.cli import main
try:
    main(["--help"])
except SystemExit as ended:
    assert ended.code == 0
print(sorted({HEAVY!r} & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    for name, entry in COMMANDS.items():
        assert f"  {name}" in done.stdout
        assert entry.summary in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    """With what it does and, where it decides something, its exit statuses."""
    done = called(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: healthd {name} " in done.stdout
    assert "Exit status: 0" in done.stdout or name in {"alert", "config"}


def test_version() -> None:
    """One line, without needing the package to be installed."""
    done = healthd("--version")
    assert (done.returncode, done.stdout) == (0, f"healthd {__version__}\n")


@pytest.mark.parametrize(
    "arguments", [["prob"], ["--colour"], ["run", "now"], ["check", "--format", "xml"], ["config"]]
)
def test_usage(arguments: list[str]) -> None:
    """Every mistake in the command line is status 64."""
    done = called(*arguments)
    assert (done.returncode, done.stdout) == (64, "")
    assert "Usage: healthd" in done.stderr


def test_usage_as_a_process() -> None:
    """The status reaches the shell."""
    assert healthd("prob").returncode == 64


def test_a_reader_that_has_gone() -> None:
    """`healthd ... | head`: the end of the pipe is the end of the program, without a word."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as stdout:  # noqa: PTH123 - a descriptor
        done = subprocess.run(
            [*COMMAND, "config", "schema"], env=environment(), stdout=stdout, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")


def on_a_terminal(*arguments: str | Path, **variables: str) -> str:
    """What a terminal of 80 columns receives."""
    keyboard, terminal = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], env=environment(TERM="xterm", **variables), stdout=terminal, cwd=ROOT
    )
    os.close(terminal)
    received = b""
    try:
        while data := os.read(keyboard, 4096):
            received += data
    except OSError:
        pass  # the terminal's other side is closed: that is its end
    finally:
        os.close(keyboard)
        process.wait()
    return received.decode()


def test_colour(site: Site) -> None:
    """Only on a terminal, never with NO_COLOR, and always beside the word that says the same."""
    port = site.port()
    site.service("web", port)
    port.close()
    command = ("check", "--once", "--dry-run", "-c", site.path)
    red = "\x1b[1;31m"
    assert f"{red}down" in on_a_terminal(*command)
    assert "\x1b[1;31m" not in on_a_terminal(*command, NO_COLOR="1")
    plain = called(*command).stdout
    assert "\x1b" not in plain
    assert "down" in plain
