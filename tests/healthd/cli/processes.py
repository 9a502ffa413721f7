"""The program as its users meet it: a process with arguments, output and an exit status."""

import io
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from healthd.cli import main

ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "healthd")
LIMIT = 60.0


def environment(**more: str) -> dict[str, str]:
    """This process's own, without what would change the colour of things, or the size that a terminal has."""
    appearance = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"}
    kept = {key: value for key, value in os.environ.items() if key not in appearance}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def healthd(*arguments: str | Path, limit: float = LIMIT) -> subprocess.CompletedProcess[str]:
    """Runs it to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )


def wait(condition: Callable[[], object]) -> None:
    """Until other processes have brought it about."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


class Running:
    """`with Running("run", "-c", path) as process`: runs meanwhile; what it logs is gathered, and it is killed last."""

    def __init__(self, *arguments: str | Path) -> None:
        self._process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stderr
        with self._process.stderr as stream:
            for line in stream:
                with self._news:
                    self._lines.append(line)
                    self._news.notify_all()

    @property
    def log(self) -> str:
        return "".join(self._lines)

    def said(self, text: str) -> str:
        """Waits until it has logged a line with `text`, and returns the line."""
        end = time.monotonic() + LIMIT
        with self._news:
            while not (found := [line for line in self._lines if text in line]):
                assert self._news.wait(end - time.monotonic()), f"never said {text!r}, but:\n{self.log}"
        return found[0]

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def status(self) -> int:
        """The exit status, once it has ended by itself."""
        status = self._process.wait(LIMIT)
        self._reader.join()
        return status


def called(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The same within this process, for tests of many runs: a tenth of the time."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    with io.TextIOWrapper(io.BytesIO(), "utf-8") as out, io.TextIOWrapper(io.BytesIO(), "utf-8") as error:
        try:
            with redirect_stdout(out), redirect_stderr(error), pytest.raises(SystemExit) as ended:
                main([str(argument) for argument in arguments])
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
        out.flush()
        error.flush()
        texts = [stream.buffer.getvalue().decode() for stream in (out, error)]
    assert isinstance(ended.value.code, int)
    return subprocess.CompletedProcess(list(arguments), int(ended.value.code), *texts)
