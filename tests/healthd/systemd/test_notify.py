from __future__ import annotations

import os
from pathlib import Path

import pytest

from healthd.systemd.notify import MOST_KEPT, Notifier
from tests.support.processes import descriptors
from tests.support.servicemanager import ServiceManager


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_assignments_are_lines_of_one_datagram(tmp_path: Path, abstract: bool) -> None:  # noqa: FBT001 - a parameter
    """sd_notify(3): one datagram per call, to a path or to a name in the abstract namespace."""
    address = f"@healthd-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with ServiceManager(address) as systemd:
        notifier = Notifier(address)
        notifier.send("RELOADING=1", "MONOTONIC_USEC=5")
        notifier.send("STATUS=läuft")
        assert systemd.listen() == [["RELOADING=1", "MONOTONIC_USEC=5"], ["STATUS=läuft"]]


def test_the_environment_is_read_once(tmp_path: Path) -> None:
    """What is meant for this process is taken out, so that a script which it starts cannot speak in its name."""
    environment = {
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "30000000",
        "WATCHDOG_PID": str(os.getpid()),
        "PATH": "/bin",
    }
    with ServiceManager(tmp_path / "notify") as systemd:
        notifier = Notifier.from_environment(environment)
        notifier.send("READY=1")
        assert systemd.listen() == [["READY=1"]]
    assert notifier.watchdog == 30.0
    assert environment == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "environment",
    [
        {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
        {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"},
        {"NOTIFY_SOCKET": "/x"},
        {"WATCHDOG_USEC": "1000000"},
        {},
    ],
)
def test_a_watchdog_that_is_none_of_ours(environment: dict[str, str]) -> None:
    """It may be another process's, off, nonsense, or nobody is there to be told."""
    assert Notifier.from_environment(dict(environment)).watchdog is None


def test_nobody_to_tell() -> None:
    """Without a service manager nothing is said, and nothing is wrong."""
    notifier = Notifier.from_environment({})
    notifier.send("READY=1")
    assert not notifier.heard


def test_an_address_that_is_none(caplog: pytest.LogCaptureFixture) -> None:
    """It is said what was expected, and healthd runs all the same."""
    assert not Notifier.from_environment({"NOTIFY_SOCKET": "vsock:2:1234"}).heard
    assert 'NOTIFY_SOCKET is "vsock:2:1234": expected a path, or @ and a name' in caplog.text


def test_a_service_manager_that_has_gone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once. Once it is back, it hears what was kept for it."""
    notifier = Notifier(str(tmp_path / "notify"))
    notifier.send("READY=1")
    notifier.send("STATUS=one")
    assert caplog.text.count("the service manager cannot be told") == 1
    with ServiceManager(tmp_path / "notify") as systemd:
        notifier.send("STATUS=two")
        assert systemd.listen() == [["READY=1"], ["STATUS=one"], ["STATUS=two"]]


def test_one_that_does_not_read_is_not_waited_for(tmp_path: Path) -> None:
    """The call returns at once; the oldest of too many are left out, the newest come when it reads again."""
    with ServiceManager(tmp_path / "notify") as systemd:
        notifier = Notifier(str(tmp_path / "notify"))
        for number in range(1000):
            notifier.send(f"STATUS={number}")
        taken = len(systemd.listen())
        notifier.send("STATUS=last")
        systemd.listen()
        notifier.send("STATUS=very last")
        kept = [said for (said,) in systemd.listen()[taken:]]
        assert kept[:2] == [f"STATUS={number}" for number in (1001 - MOST_KEPT, 1002 - MOST_KEPT)]
        assert kept[-3:] == ["STATUS=999", "STATUS=last", "STATUS=very last"]


def test_no_descriptor_is_kept(tmp_path: Path) -> None:
    """A socket for each message: nothing that a script could inherit, nothing to close."""
    before = descriptors()
    with ServiceManager(tmp_path / "notify"):
        notifier = Notifier(str(tmp_path / "notify"))
        notifier.send("READY=1")
        assert descriptors() == before + 1
