"""Programs that are measured: started, watched from outside through /proc, and ended with all their children."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
_COMPLAINT = re.compile(r"\bERROR\b|\bdown\b|\bUNKNOWN\b|[Rr]emoving|failed|Error")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds of a process with all its descendants, ended ones too, and bytes resident now."""

    user: float
    system: float
    resident: int

    @property
    def cpu(self) -> float:
        return self.user + self.system


@dataclass(frozen=True, slots=True)
class Running:
    """`log` is what the program printed."""

    process: subprocess.Popen[bytes]
    log: Path

    def usage(self) -> Usage:
        """Children that have ended count through the parent that waited for them, as /proc/PID/stat adds them up."""
        user = system = resident = 0
        for pid in _tree(self.process.pid):
            with suppress(OSError):  # it ended meanwhile
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                user += int(fields[11]) + int(fields[13])  # proc(5): utime and cutime, stime and cstime, rss
                system += int(fields[12]) + int(fields[14])
                resident += int(fields[21])
        return Usage(user / _TICKS, system / _TICKS, resident * _PAGE)

    def complaint(self) -> str:
        """The first line in the log by which healthd or keepalived tells of a failure; "" without one."""
        lines = self.log.read_text(errors="replace").splitlines()
        return next((line for line in lines if _COMPLAINT.search(line)), "")

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None


def _tree(pid: int) -> list[int]:
    found = [pid]
    for place in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [one for child in place.read_text().split() for one in _tree(int(child))]
    return found


@contextmanager
def running(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """The program in a process group of its own, with every descriptor that it may have; ended with the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=raise_descriptor_limit,  # noqa: PLW1509 - this program has no threads when it starts others
        )
    try:
        yield Running(process, log)
    finally:
        end(process)


def raise_descriptor_limit() -> None:
    """For all alike: keepalived does not raise it itself."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def end(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """SIGTERM, and after 15 seconds SIGKILL, for the whole group."""
    for number, patience in ((signal.SIGTERM, 15), (signal.SIGKILL, 5)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            break
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def until(holds: Callable[[], object], what: str, seconds: float, every: float = 0.005) -> None:
    """Returns as soon as `holds` does. Raises TimeoutError, naming what was waited for."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(every)


def cpu_of(command: Sequence[str], folder: Path) -> float:
    """CPU seconds of a command run to its end, with its children. Raises CalledProcessError when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=False, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        (folder / "failed").write_bytes(done.stdout + done.stderr)
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
