"""Real server programs, and the faults that a test puts them through."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self

from checkers.base import Checker, Outcome, Status, Target
from tests.checkers.asking import ask
from tests.support.ports import open_ports
from tests.support.processes import is_held, processes, running

PATIENCE = 60  # seconds that a program may take to start or to end on a busy machine
POLL = 0.02
TRIES = 30


class Program:
    """A server program of Debian's in the foreground. `port` of 127.0.0.1 is where it listens, and so are `more` ports.

    It is up when all of them are open, and the `udp` ones, and it has said what it `says`. With `ready` not `port`
    counts but that this exists, and is answered at if it is a socket. Nobody connects to a port for that: the log of a
    server tells of checks alone. Use it as `with Program(...) as program:`, once started.
    """

    patience: ClassVar[float] = PATIENCE
    """Seconds until it has to be up."""

    def __init__(
        self,
        command: Sequence[str | Path],
        folder: Path,
        *,
        port: int = 0,
        more: Collection[int] = (),
        udp: Collection[int] = (),
        ready: Path | None = None,
        says: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port
        self._command = [str(part) for part in command]
        self._log = folder / "output.log"
        self._ready = ready
        self._tcp, self._udp = {*more} | ({port} if port and ready is None else set()), {*udp}
        self._says = says.encode()
        self._told = 0
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when it listens."""
        with self._log.open("ab") as log:
            self._told = log.tell()
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, start_new_session=True, env=self._environment
            )
        give_up = time.monotonic() + self.patience
        while not self._is_up():
            status = self._process.poll()
            if status is not None or time.monotonic() > give_up:
                self.stop()
                raise AssertionError(self._complaint(status))
            time.sleep(POLL)

    def _complaint(self, status: int | None) -> str:
        """Why it did not start; `status` is that of the process, None if it runs and has not listened in time."""
        awaited = f"port {self.port}" if self._ready is None else f"{self._ready}, with port {self.port}"
        if status is None:
            end = f"was not up within {self.patience} s"
        else:
            end = f"ended by signal {-status}" if status < 0 else f"ended with status {status}"
        said = self._log.read_text(errors="replace").rstrip() or "(it wrote nothing)"
        return f"{shlex.join(self._command)} {end}, awaited at {awaited}:\n{said}"

    def _is_up(self) -> bool:
        if self._ready is not None and not _is_there(self._ready):
            return False
        if not (self._tcp <= open_ports("tcp") and self._udp <= open_ports("udp")):
            return False
        return self._says in self._log.read_bytes()[self._told :]

    def stop(self) -> None:
        """It and all that it has started is gone, as after kill -9 of each."""
        if self._process is not None:
            self.pause()  # who is held starts nobody who would be overlooked
            family = set(self._family())
            self._signal(signal.SIGKILL)
            self._process.wait(PATIENCE)
            self._process = None
            give_up = time.monotonic() + PATIENCE
            while family & running():  # a child may hold the port for a moment longer
                assert time.monotonic() < give_up, f"{self._command[0]} outlives kill -9: {family & running()}"
                time.sleep(POLL)
        if self._ready is not None:
            self._ready.unlink(missing_ok=True)

    def pause(self) -> None:
        """Returns when it is held: the kernel still accepts connections for it, and nobody answers."""
        self._signal(signal.SIGSTOP)
        give_up = time.monotonic() + PATIENCE
        while moving := [number for number in self._family() if not is_held(number)]:
            assert time.monotonic() < give_up, f"{self._command[0]} goes on after SIGSTOP: {moving}"
            self._signal(signal.SIGSTOP)  # what it has started meanwhile, too
            time.sleep(POLL)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def open_files(self) -> set[Path]:
        """Of it and of all that it has started."""
        found = set()
        for pid in self._family():
            for link in Path(f"/proc/{pid}/fd").glob("*"):
                with suppress(FileNotFoundError):  # it has been closed meanwhile
                    found.add(link.readlink())
        return found

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._family():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def _family(self) -> list[int]:
        """The process and what descends from it, or is of its session: parents before children."""
        if self._process is None:
            return []
        known, first = processes(), self._process.pid
        family = [first] if self._process.poll() is None else []  # once it has been waited for its number is anybody's
        for pid in family:  # grows while it is gone through
            family += [process.number for process in known if process.parent == pid and process.number not in family]
        left = [process.number for process in known if process.group == first and process.number not in family]
        return family + left


def _is_there(path: Path) -> bool:
    if not path.is_socket():
        return path.exists()
    with socket.socket(socket.AF_UNIX) as sock:
        return sock.connect_ex(str(path)) == 0


async def through_faults(
    checker: Checker, target: Target, program: Program, *, refused: str, hung: str, seconds: float = 1.0
) -> list[Outcome]:
    """Healthy passes, a stopped process and one held by SIGSTOP fail with these codes, and each recovery passes.

    The check of the held one ends at its deadline: not later than 50 ms after it, in the best of several tries, any of
    which a busy machine may hold up.
    The outcomes are given for a look at their details: healthy, held, resumed, stopped, started again.
    """
    healthy = await ask(checker, target)
    assert healthy.status is Status.PASS, healthy
    program.pause()
    try:
        held = await ask(checker, target, seconds)
        for _ in range(TRIES):
            if held.seconds <= seconds + 0.05:
                break
            held = await ask(checker, target, seconds)
    finally:
        program.resume()
    assert (held.status, held.code) == (Status.FAIL, hung), held
    assert seconds <= held.seconds <= seconds + 0.05
    resumed = await ask(checker, target)
    assert resumed.status is Status.PASS, resumed
    program.stop()
    stopped = await ask(checker, target)
    assert (stopped.status, stopped.code) == (Status.FAIL, refused), stopped
    program.start()
    started = await ask(checker, target)
    assert started.status is Status.PASS, started
    return [healthy, held, resumed, stopped, started]
