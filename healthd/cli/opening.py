"""What several commands open before they work: the configuration, the lock, the table. Every failure is a `Problem`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from healthd.cli.exits import Exit, Problem
from healthd.config import Config, ConfigError, load
from healthd.config.values import Settings
from healthd.ipvs import Ipvs, IpvsUnavailable
from healthd.ipvs.kernel import KernelIpvs
from healthd.ipvs.memory import MemoryIpvs
from healthd.lock import AlreadyLocked, Lock
from healthd.model import Table


def load_config(path: Path, load: Callable[[Path], Config] = load) -> Config:
    """`load` may be `load_apart`, for a process that is to last."""
    try:
        return load(path)
    except ConfigError as error:
        raise Problem(Exit.BAD_CONFIGURATION, *error.messages) from error


@contextmanager
def held(state_dir: Path) -> Iterator[None]:
    """The lock of `state_dir` while inside."""
    with ExitStack() as stack:
        try:
            stack.enter_context(Lock(state_dir))
        except AlreadyLocked as error:
            raise Problem(
                Exit.LOCKED, f"healthd: {error}. Stop it first, or give this one another state_dir"
            ) from error
        except OSError as error:
            raise unwritable(state_dir, error) from error
        yield


def unwritable(state_dir: Path, error: OSError) -> Problem:
    return Problem(
        Exit.NOT_PERMITTED,
        f"healthd: state_dir {state_dir} cannot be written to: {error.strerror or error} ({error.filename}). "
        "Run as root, give this user the folder, or set another state_dir in [healthd]",
    )


@contextmanager
def opened_table(settings: Settings, in_memory: Table | None = None) -> Iterator[Ipvs]:
    """The table that the configuration names; what is wrong with it while inside is a `Problem` too.

    `in_memory` is what a table in memory begins with.
    """
    try:
        ipvs: Ipvs = MemoryIpvs(in_memory) if settings.table == "memory" else KernelIpvs()
        try:
            yield ipvs
        finally:
            ipvs.close()
    except IpvsUnavailable as error:
        status = Exit.NOT_PERMITTED if error.permission else Exit.UNAVAILABLE
        raise Problem(status, f"healthd: {error}") from error
