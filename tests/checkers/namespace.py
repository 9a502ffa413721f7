"""Network namespaces of a test's own, where what the kernel does can be set."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

CLONE_NEWNET = 0x40000000  # linux/sched.h
SETTINGS = Path("/proc/sys/net")

as_root = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("ip", "unshare", "setpriv"))),
    reason="needs root, iproute2 and util-linux: the test makes a network namespace",
)


def in_namespace(settings: dict[str, str], talk: Callable[[], Awaitable[None]]) -> None:
    """Runs `talk` in a thread that has a network namespace to itself, with loopback up and these settings made."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            assert ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            for name, value in settings.items():
                (SETTINGS / name).write_text(value)
            asyncio.run(_awaited(talk))
        except BaseException as error:  # noqa: BLE001 - it is raised again outside
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


async def _awaited(talk: Callable[[], Awaitable[None]]) -> None:
    await talk()


def lonely(near: str, family: str) -> None:
    """A network of which nobody else is: this machine is `near` in it, and soon done with looking for others."""
    run("ip link add near type veth peer name far")
    run("ip link set far up")
    run("ip link set near up")
    run(f"ip address add {near} dev near nodad")
    for name, value in {"retrans_time_ms": "20", "mcast_solicit": "1"}.items():
        (SETTINGS / family / "neigh/near" / name).write_text(value)


def run(command: str) -> None:
    subprocess.run(command.split(), check=True)
