"""Calls that may block, out of the way of everything else: files on a dead NFS server, names from a dead resolver.

They are made in a few threads that are never waited for, neither by a check that is cut off nor at the end of the
process. If all of them hang, the checks behind them reach their deadlines, and no more threads are made.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

THREADS = 4


async def aside(call: Callable[[], T]) -> T:
    """What `call` returns, or the OSError that it raises; nothing else may come out of it."""
    loop = asyncio.get_running_loop()
    job = _Job(call, loop, loop.create_future())
    _jobs().put(job)
    found: T = await job.future
    return found


@dataclass(frozen=True, slots=True)
class _Job:
    call: Callable[[], object]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]

    def run(self) -> None:
        """In one of the threads."""
        if self.future.cancelled():
            return
        try:
            settled = functools.partial(self.future.set_result, self.call())
        except OSError as error:
            settled = functools.partial(self.future.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._settle, settled)

    def _settle(self, settled: Callable[[], None]) -> None:
        if not self.future.done():
            settled()


@functools.cache
def _jobs() -> queue.SimpleQueue[_Job]:
    """The queue, and with it the threads, made when they are first needed."""
    jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
    for number in range(THREADS):
        threading.Thread(target=_work, args=(jobs,), name=f"aside-{number}", daemon=True).start()
    return jobs


def _work(jobs: queue.SimpleQueue[_Job]) -> None:
    while True:
        jobs.get().run()
