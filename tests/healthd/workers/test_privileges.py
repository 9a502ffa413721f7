from __future__ import annotations

import json
import subprocess
import sys

import pytest

from healthd.workers.privileges import CAP_NET_ADMIN, GIVEN_UP

PROGRAM = """
import json, subprocess, sys
sys.path[:] = sys.argv[1:]
from healthd.workers import privileges
def status(text):
    return dict(line.split(":\\t", 1) for line in text.splitlines() if ":\\t" in line)
before = status(open("/proc/self/status").read())
privileges.give_up()
privileges.give_up()  # once more does no harm
privileges.set_name("healthd-worker")
after = status(open("/proc/self/status").read())
started = status(subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True).stdout)
json.dump([before, after, started], sys.stdout)
"""
SETS = ("CapInh", "CapPrm", "CapEff", "CapAmb")
CAP_SETPCAP, CAP_NET_RAW = 8, 13


@pytest.fixture(scope="module")
def seen() -> list[dict[str, str]]:
    """/proc/self/status before and after, and of a program that was started then."""
    command = [sys.executable, "-c", PROGRAM, *sys.path]
    found: list[dict[str, str]] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def has(status: dict[str, str], name: str, capability: int) -> bool:
    return bool(int(status[name], 16) >> capability & 1)


@pytest.mark.parametrize("name", SETS)
def test_what_is_given_up_is_in_no_set(seen: list[dict[str, str]], name: str) -> None:
    """Neither here nor in what is started from here."""
    _, after, started = seen
    assert CAP_NET_ADMIN in GIVEN_UP
    assert [capability for capability in GIVEN_UP if has(after, name, capability)] == []
    assert [capability for capability in GIVEN_UP if has(started, name, capability)] == []


def test_it_cannot_come_back(seen: list[dict[str, str]]) -> None:
    """Not by a set-user-ID program or one with capabilities, and where it may be narrowed not by the bounding set."""
    before, after, started = seen
    assert after["NoNewPrivs"] == started["NoNewPrivs"] == "1"
    if has(before, "CapEff", CAP_SETPCAP):
        assert [capability for capability in GIVEN_UP if has(after, "CapBnd", capability)] == []


def test_all_else_is_kept(seen: list[dict[str, str]]) -> None:
    """A ping may need CAP_NET_RAW."""
    before, after, _ = seen
    gone = sum(1 << capability for capability in GIVEN_UP)
    for name in SETS:
        assert int(after[name], 16) == int(before[name], 16) & ~gone
    assert has(after, "CapEff", CAP_NET_RAW) == has(before, "CapEff", CAP_NET_RAW)
    assert after["Name"] == "healthd-worker"
