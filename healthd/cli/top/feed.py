"""A thread that asks the daemon again and again, so that the screen answers its keys meanwhile."""

from __future__ import annotations

import threading
from typing import Any

from healthd.cli import answers
from healthd.cli.client import Answered, Client, Unreachable, path_of
from healthd.cli.exits import Exit, Problem
from healthd.cli.times import stamp
from healthd.cli.top.frame import Frame, Key, Samples
from healthd.clock import SystemClock

HOUR = 3600.0
SLOWLY = 20.0
"""Seconds between two looks at the past of one server."""


class Feed:
    """`frame` is the newest; `wanted` is the server whose past is to be in it; `failed` ended the thread."""

    def __init__(self, client: Client, interval: float) -> None:
        self._client = client
        self._interval = interval
        self._samples = Samples()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._past: tuple[Key | None, float, list[float | None]] = (None, 0.0, [])
        self.wanted: Key | None = None
        self.failed: Problem | None = None
        self.frame = self._asked()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """The thread ends with the question that is under way; nobody waits for that."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self.frame = self._asked()
            except Unreachable as error:
                if error.status != Exit.UNAVAILABLE:
                    self.failed = error
                    return
                since = self.frame.gone or f"UNREACHABLE since {stamp(SystemClock.wall())}: what follows is older"
                old = self.frame
                self.frame = Frame(old.status, old.samples, since, old.past, old.past_of)
            except Problem as error:
                self.failed = error
                return

    def _asked(self) -> Frame:
        status = answers.status(self._client.get(path_of("status")))
        self._samples.take(status)
        key, past = self._past_of(self.wanted, status.at)
        return Frame(status, self._samples.frozen(), past=past, past_of=key)

    def _past_of(self, key: Key | None, at: float) -> tuple[Key | None, list[float | None]]:
        """The latency of the last hour, minute by minute; nothing where no history is kept."""
        known, asked, points = self._past
        if key is None or (known == key and at - asked < SLOWLY):
            return key, points
        try:
            answer = self._client.get(path_of("latency", *key), {"since": at - HOUR, "step": "minute"})
            points = _points(answer)
        except Answered:
            points = []
        self._past = (key, at, points)
        return key, points


def _points(answer: Any) -> list[float | None]:
    with answers.understood():
        return [None if point["count"] == point["fails"] else float(point["mean"]) for point in answer["points"]]
