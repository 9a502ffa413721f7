from __future__ import annotations

import time
from collections.abc import Callable


def eventually(holds: Callable[[], object], what: str, seconds: float = 20) -> None:
    """Returns as soon as `holds` does; fails, naming what was waited for, when that takes too long."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
