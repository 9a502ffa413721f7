"""What the metrics of a daemon are made of besides its snapshot, for tests; and Prometheus's own tool."""

from __future__ import annotations

import shutil

import pytest

from healthd.metrics.daemon import ChannelCounts, Inside
from healthd.schedulerview import LatenessView, SchedulerView

INSIDE = Inside(
    version="1.2.3",
    started=1000.5,
    loaded=2000.25,
    alive=True,
    scheduler=SchedulerView(3, 2, 1, 5, 7, LatenessView(((0, 60), (3, 40)), 0.02)),
    refused=2,
    frozen=True,
    history_error=False,
    history_dropped=5,
    channels=[ChannelCounts("ops", 1, 2, 3, 4)],
)


def promtool() -> str:
    """Where it is; the test is skipped without it."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool, of Debian's package prometheus, is not installed")
    return found
