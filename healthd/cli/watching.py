"""A picture that is drawn again and again until Ctrl-C, and that says so when the daemon does not answer."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from healthd.cli import output, terminal
from healthd.cli.client import Client, Unreachable, path_of
from healthd.cli.exits import Exit
from healthd.cli.times import stamp
from healthd.clock import SystemClock

HOME_AND_CLEAR = "\x1b[H\x1b[J"


def watch_for(client: Client, seconds: float, draw: Callable[[Any], Iterable[str]]) -> NoReturn:
    """Draws the status every `seconds`.

    Raises:
        Problem: whatever is wrong with the daemon, unless it is only away for a while.

    """
    pause = threading.Event()  # nobody sets it: it waits, and Ctrl-C ends that
    lines = list(draw(client.get(path_of("status"))))
    gone = ""
    while True:
        _frame([*([terminal.painted(gone, "bold red")] if gone else []), *lines])
        pause.wait(seconds)
        try:
            lines, gone = list(draw(client.get(path_of("status")))), ""
        except Unreachable as error:
            if error.status != Exit.UNAVAILABLE:
                raise
            gone = gone or f"! UNREACHABLE since {stamp(SystemClock.wall())}: what follows is older"


def _frame(lines: list[str]) -> None:
    if not terminal.is_terminal():
        output.say_plain("\n".join([*lines, ""]))
        return
    height = shutil.get_terminal_size().lines
    if len(lines) >= height:
        left = len(lines) - height + 2
        lines = [*lines[: height - 2], f"... {left} more lines: a larger window, or a filter, shows them"]
    output.say_plain(HOME_AND_CLEAR + "\n".join(lines))
