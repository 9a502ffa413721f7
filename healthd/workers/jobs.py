"""What a parent tells a worker."""

from __future__ import annotations

import logging
import pickle  # what is unpickled here comes from the parent process, over a socket that nobody else has
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from checkers.base import Checker, Code, Outcome, Target, Unable
from checkers.registry import PluginError
from healthd.config import carrying
from healthd.plan import Job
from healthd.verdict import Verdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hello:
    """What comes first. `beat` is the time in seconds within which a worker gives a sign of life."""

    log_format: Literal["text", "json", "journal"]
    log_level: str
    beat: float


@dataclass(frozen=True, slots=True)
class Assigned:
    """A job under the number that its outcomes are sent with, and how far the counting has come."""

    number: int
    job: Job
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Assignment:
    """A change of a worker's share. Numbers are never used twice."""

    dropped: Sequence[int] = ()
    added: Sequence[Assigned] = ()


@dataclass(frozen=True, slots=True)
class CheckNow:
    """The jobs of these numbers are to be checked at once."""

    numbers: frozenset[int]


Message = Hello | Assignment | CheckNow


@dataclass(frozen=True, kw_only=True)
class Unmakeable(Checker):
    """Stands for a checker that the parent has and the worker cannot make: its plugin has been changed or removed."""

    reason: str = ""

    async def check(self, target: Target) -> Outcome:  # noqa: ARG002 - nobody can be asked
        raise Unable(Code.CRASH, self.reason)


def pickled(message: Message, plugin_dir: Path) -> bytes:
    """`plugin_dir` is where a worker finds the plugins of the jobs."""
    return carrying.pickled(message, plugin_dir, made)


def unpickled(payload: bytes) -> Message:
    message: Message = pickle.loads(payload)  # noqa: S301 - from the parent process, whose tool this one is
    return message


def made(kind: str, plugin_dir: Path, options: Mapping[str, Any]) -> Checker:
    """The checker, or what stands for one that cannot be made here."""
    try:
        return carrying.made(kind, plugin_dir, options)
    except PluginError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - a plugin's own code: anything can come out of it
        reason = f'check kind "{kind}" refuses its options: {type(error).__name__}: {error}'
    log.error("a worker cannot carry out a check: %s", reason)
    return Unmakeable(reason=f"the worker cannot carry it out: {reason}")
