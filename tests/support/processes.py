"""What this process has running and open, as the kernel sees it; and waiting for what it should be."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 60  # seconds that a condition may take on a busy machine


@dataclass(frozen=True, slots=True)
class Process:
    """From /proc/PID/stat, proc(5)."""

    number: int
    state: str
    parent: int
    group: int

    @property
    def running(self) -> bool:
        return self.state not in "ZX"


def processes() -> list[Process]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, group = path.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        found.append(Process(int(path.parent.name), state, int(parent), int(group)))
    return found


def is_held(number: int) -> bool:
    """Whether SIGSTOP has reached every thread of it; one goes on for a moment after the signal was sent."""
    try:
        states = [
            path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{number}/task").glob("*/stat")
        ]
    except (FileNotFoundError, ProcessLookupError):
        return is_held(number)  # a thread has ended meanwhile
    return set(states) <= set("TZX")


def running() -> set[int]:
    """The numbers of all processes that are not zombies."""
    return {process.number for process in processes() if process.running}


def running_in(group: int) -> list[int]:
    return [process.number for process in processes() if process.group == group and process.running]


def children() -> list[int]:
    """This process's own, zombies included."""
    return [process.number for process in processes() if process.parent == os.getpid()]


def descriptors() -> int:
    """How many are open here."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the kernel sets no asyncio.Event
            await asyncio.sleep(0.01)
