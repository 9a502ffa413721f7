"""The manual pages: they can be read by what reads manual pages, and leave nothing out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from checkers.registry import kinds
from healthd.cli import COMMANDS
from healthd.config.values import Settings
from healthd.events import KINDS
from manual.program import table
from manual.roff import Page

NAMES = ("healthd.8", "healthd.toml.5", "healthd-checkers.7")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("man")
    subprocess.run([sys.executable, "-m", "manual", folder], check=True, timeout=100)
    return folder


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100, env=env)


def read(page: Path) -> str:
    """As a reader sees it, with every run of white space as one space."""
    return " ".join(run("man", "-E", "ascii", "-l", page, MANWIDTH="500").stdout.split())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_mandoc_finds_nothing(pages: Path, name: str) -> None:
    """Neither an error nor a matter of style."""
    done = run("mandoc", "-T", "lint", pages / name)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")
def test_man_has_no_warnings(pages: Path, name: str) -> None:
    """groff, which most systems show them with."""
    done = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", pages / name)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")
def test_nothing_is_left_out(pages: Path) -> None:
    """Every command, kind of check, setting, event, signal and exit status; what all kinds have stands there once."""
    program, configuration, checks = (read(pages / name) for name in NAMES)
    for command in COMMANDS:
        assert f" healthd {command} " in program
    for kind in kinds():
        assert f" {kind} " in checks
    for setting in Settings.__slots__:
        assert f" {setting} (" in configuration
    for event in KINDS:
        assert f" {event} (" in configuration
    assert checks.count(" mark (integer)") == 1
    assert 'default "90d") For how long events are kept' in configuration
    assert 'persistent ("off" or such as "2m")' in configuration
    assert "SIGHUP reads the configuration again" in program
    assert " 78 the configuration is bad" in program


def test_a_table_that_is_gone_is_missed() -> None:
    """Whoever rewrites docs/commands.md hears of what the manual takes from there."""
    with pytest.raises(LookupError, match="no table of signal in ## healthd fly"):
        list(table("## healthd fly", "signal"))


def test_text_is_no_request() -> None:
    """What looks like roff in a description comes out as it was written."""
    page = Page("x", 1, "a page")
    page.heading("TEXT")
    page.prose('.so /etc/passwd\n\n\'x \\n(.H `-a` "quoted"\n\n    .literal')
    assert page.text.split('.SH "TEXT"\n')[1].splitlines() == [
        r"\&.so /etc/passwd",
        ".PP",
        r"\(aqx \en(.H \fB\-a\fR " + '"quoted"',
        ".PP",
        ".RS 4",
        ".nf",
        r"\&.literal",
        ".fi",
        ".RE",
    ]
