"""The configuration, read in a process of its own.

To read it takes more than to go by it: the validator alone needs twelve mebibytes, and ten thousand servers keep the
interpreter busy for a second. A process that ends gives back the one, and delays no check by the other.
"""

from __future__ import annotations

import os
import pickle  # what is unpickled here comes from our own child, over a pipe that nobody else has
import subprocess
import sys
from pathlib import Path

from checkers.base import OptionError
from checkers.registry import PluginError
from healthd.config import Config, ConfigError, load
from healthd.config.carrying import pickled

PATIENCE = 300.0
"""Seconds after which it is given up: a plugin that never comes to an end of its import, or a disk that hangs."""

_START = """
import os, sys
answer = os.dup(1)
os.dup2(2, 1)
sys.path[:] = sys.argv[2:]
from healthd.config.apart import main
main(sys.argv[1], answer)
"""
"""What a plugin prints goes to standard error, and so nobody takes it for the answer."""


def load_apart(path: Path) -> Config:
    """The same as `load`; it waits, so a loop calls it in a thread.

    Raises:
        ConfigError: as of `load`, or the other process has come to grief.

    """
    try:
        found: Config | tuple[str, ...] = pickle.loads(_answer(path))  # noqa: S301 - from our own child
    except (PluginError, OptionError) as error:  # made here it differs: something has changed since
        raise ConfigError((f"{path}: changed while it was read: {error}",)) from error
    if not isinstance(found, Config):
        raise ConfigError(found)
    return found


def _answer(path: Path) -> bytes:
    """A fresh interpreter's, not a fork's: this process may have threads. It imports exactly what this one does."""
    argv = [sys.executable, "-P", "-c", _START, str(path), *filter(None, sys.path)]
    try:
        ended = subprocess.run(  # noqa: S603 - this interpreter, and nothing from outside
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=PATIENCE, check=False
        )
    except OSError as error:
        raise ConfigError((f"{path}: cannot start a process that reads it: {error.strerror}",)) from error
    except subprocess.TimeoutExpired as error:
        raise ConfigError(
            (f"{path}: was not read within {PATIENCE:g} s; a plugin may hang while it is loaded",)
        ) from error
    if ended.returncode:
        raise ConfigError((f"{path}: the process that reads it ended with status {ended.returncode}",))
    return ended.stdout


def main(path: str, answer: int) -> None:
    """The other process: reads, and writes its answer into the descriptor."""
    try:
        config = load(Path(path))
    except ConfigError as error:
        payload = pickle.dumps(error.messages)
    else:
        payload = pickled(config, config.settings.plugin_dir)
    with os.fdopen(answer, "wb") as pipe:
        pipe.write(payload)
