from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60  # seconds that anything may take on a busy machine


def eventually(holds: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Returns as soon as `holds` does; fails, naming what was waited for, when that takes too long."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
