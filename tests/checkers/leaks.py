"""What a check may leave behind: nothing."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

PATIENCE = 6000  # looks, each a hundredth of a second, for a thread to see that its socket is closed


def _held() -> tuple[int, int]:
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """No more threads and descriptors than before, soon after the body; nothing is left to the garbage collector."""
    gc.collect()
    threads, descriptors = _held()
    gc.disable()
    try:
        yield
        for _ in range(PATIENCE):
            now = _held()
            if now[0] <= threads and now[1] <= descriptors:
                break
            await asyncio.sleep(0.01)
    finally:
        gc.enable()
    assert now[0] <= threads, f"{now[0]} threads, not {threads}: {threading.enumerate()}"
    assert now[1] <= descriptors, f"{now[1]} descriptors, not {descriptors}"
