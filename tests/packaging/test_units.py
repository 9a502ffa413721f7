"""The units of systemd, judged by systemd itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "packaging/systemd"
SERVICES = ("healthd.service", "healthd-check.service")
NAMES = (*SERVICES, "healthd-check.timer")

WORST = 2.0
"""The exposure that `systemd-analyze security` may find at most."""

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")


def settings(name: str) -> dict[str, list[str]]:
    """The keys of a unit with their values; a key may come several times."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as they are understood by the oldest systemd that healthd is for, with a program that is there."""
    for name in NAMES:
        text = (UNITS / name).read_text().replace("/usr/bin/healthd", "/bin/true")
        (tmp_path / name).write_text(text.replace("Type=notify-reload", "Type=notify"))
    return tmp_path


@needs_systemd
def test_systemd_understands_every_line(units: Path) -> None:
    """Nothing is unknown, misspelt or without effect."""
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(units / name for name in NAMES)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    about_ours = [line for line in done.stderr.splitlines() if "healthd" in line]
    assert (about_ours, done.returncode) == ([], 0)


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_little_is_left_open(units: Path, name: str) -> None:
    """`systemd-analyze security` rates a unit from 0 to 10; the threshold is in tenths."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={WORST * 10:.0f}", "--no-pager", units / name],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    assert "Overall exposure level" in done.stdout


def test_what_is_left_open_is_explained() -> None:
    """Where systemd finds something wanting, a comment says why it stays."""
    text = (UNITS / "healthd.service").read_text()
    for left in (
        "CAP_NET_ADMIN",
        "AmbientCapabilities=",
        "PrivateUsers=",
        "PrivateNetwork=",
        "IPAddressDeny=",
        "AF_NETLINK",
        "ProcSubset=",
        "~@privileged",
        "DeviceAllow=",
        "RootDirectory=",
    ):
        assert any(left in line for line in text.splitlines() if line.startswith("#   ")), left


def test_a_single_round_is_as_confined_as_the_daemon() -> None:
    """Who it runs as and what it cannot do is the same."""
    daemon, once = map(settings, SERVICES)
    of_the_daemon = {
        *("Description", "Type", "NotifyAccess", "ExecStart", "StartLimitIntervalSec", "WatchdogSec", "Restart"),
        *("RestartSec", "RestartPreventExitStatus", "TimeoutStopSec", "RuntimeDirectory", "RuntimeDirectoryMode"),
        *("OOMScoreAdjust", "WantedBy"),
    }
    of_the_round = {"Description", "Type", "ExecStart", "SuccessExitStatus", "TimeoutStartSec"}
    assert {key: value for key, value in daemon.items() if key not in of_the_daemon} == {
        key: value for key, value in once.items() if key not in of_the_round
    }


def test_the_daemon_is_started_as_it_expects() -> None:
    """The type, the watchdog and the one capability; nothing is started without a configuration."""
    unit = settings("healthd.service")
    assert (unit["Type"], unit["User"], unit["WatchdogSec"]) == (["notify-reload"], ["healthd"], ["30s"])
    assert unit["AmbientCapabilities"] == unit["CapabilityBoundingSet"] == ["CAP_NET_ADMIN"]
    assert unit["ConditionPathExistsGlob"] == ["/etc/healthd/conf.d/*.toml"]
