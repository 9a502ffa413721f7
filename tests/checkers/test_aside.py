import asyncio
import subprocess
import sys
import threading

import pytest

from checkers.aside import aside


def broken() -> None:
    raise FileNotFoundError(2, "No such file or directory", "/x")


async def test_what_a_call_returns_or_raises() -> None:
    """Its value, or its OSError, from another thread than this one."""
    assert await aside(lambda: 3) == 3
    assert await aside(threading.get_ident) != threading.get_ident()
    with pytest.raises(FileNotFoundError):
        await aside(broken)


async def test_a_call_that_hangs_holds_nobody_up() -> None:
    """Others go on, and whoever waits for it can be cancelled."""
    answer = threading.Event()
    waiting = asyncio.ensure_future(aside(answer.wait))
    assert await aside(lambda: 4) == 4
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    answer.set()
    assert await aside(lambda: 5) == 5


HANGING = """
import asyncio, threading
from checkers.aside import aside

async def main():
    task = asyncio.ensure_future(aside(threading.Event().wait))
    await asyncio.sleep(0.1)
    task.cancel()

asyncio.run(main())
"""


def test_the_process_ends_while_a_call_hangs() -> None:
    """The threads are not waited for."""
    done = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
