"""A terminal that a program runs on, and what a person would see there."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Self

import pyte

PATIENCE = 60.0  # seconds that a screen may take to show something on a busy machine


class Terminal:
    """`with Terminal(command, 80, 24, environment) as terminal`: the program runs meanwhile, and is killed last."""

    def __init__(self, command: Sequence[str], columns: int, rows: int, environment: Mapping[str, str]) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._ours, theirs = pty.openpty()
        self._resize(columns, rows)
        variables = {**environment, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        self._process = subprocess.Popen(
            command, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    @property
    def lines(self) -> list[str]:
        """What is seen, without the empty end."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip().split("\n")

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def style(self, word: str) -> str:
        """The colour of a word on the screen, and whether it is reversed; nothing while it is not there."""
        row = next((number for number, line in enumerate(self._screen.display) if word in line), None)
        if row is None:
            return ""
        cell = self._screen.buffer[row][self._screen.display[row].index(word)]
        return f"{cell.fg} reversed" if cell.reverse else cell.fg

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)
        self._resize(columns, rows)
        self._process.send_signal(signal.SIGWINCH)

    def _resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def shows(self, text: str) -> str:
        """Waits until the text is on the screen, and returns all of that."""
        self.until(lambda: text in self.text, text)
        return self.text

    def until(self, condition: Callable[[], bool], what: str = "what was waited for") -> None:
        """Waits until the screen is as it should be."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"never showed {what!r}, but:\n{self.text}"
            self._read(0.1)

    def ended(self) -> int:
        """The exit status, once the program has ended by itself; everything that it said is on the screen."""
        end = time.monotonic() + PATIENCE
        while self._read(0.1):
            assert time.monotonic() < end, f"never ended, but:\n{self.text}"
        return self._process.wait(PATIENCE)

    def _read(self, seconds: float) -> bool:
        """Takes what comes within that time; false when there is nobody any more."""
        if not select.select([self._ours], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # EIO: the program has ended
            return False
        self._stream.feed(data)
        return bool(data)
