"""What a parent tells a worker, and how the jobs in it are pickled.

A checker travels as its kind and its options, and is made anew in the worker: what it has prepared for itself (a TLS
context, say) cannot travel, and a plugin's class has no importable name. A check that many jobs share is sent, made and
held once.
"""

from __future__ import annotations

import dataclasses
import io
import logging
import pickle  # what is unpickled here comes from the parent process, over a socket that nobody else has
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from checkers.base import Checker, Code, Outcome, Target, Unable
from checkers.registry import PluginError, find
from healthd.config.values import CheckConfig
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


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, plugin_dir: Path) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._plugin_dir = plugin_dir

    def reducer_override(self, value: Any) -> Any:
        if type(value) is not CheckConfig:
            return NotImplemented
        options = {
            field.name: getattr(value.checker, field.name) for field in dataclasses.fields(value.checker) if field.init
        }
        rest = {
            field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.name != "checker"
        }
        return made, (self._plugin_dir, options, rest)


def pickled(message: Message, plugin_dir: Path) -> bytes:
    """`plugin_dir` is where a worker finds the plugins of the jobs."""
    file = io.BytesIO()
    _Pickler(file, plugin_dir).dump(message)
    return file.getvalue()


def unpickled(payload: bytes) -> Message:
    message: Message = pickle.loads(payload)  # noqa: S301 - from the parent process, whose tool this one is
    return message


def made(plugin_dir: Path, options: Mapping[str, Any], rest: Mapping[str, Any]) -> CheckConfig:
    """The check again. It is called by its name in a pickle."""
    return CheckConfig(checker=_checker(rest["kind"], plugin_dir, options), **rest)


def _checker(kind: str, plugin_dir: Path, options: Mapping[str, Any]) -> Checker:
    try:
        return find(kind, plugin_dir)(**options)
    except PluginError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - a plugin's own code: anything can come out of it
        reason = f'check kind "{kind}" refuses its options: {type(error).__name__}: {error}'
    log.error("a worker cannot carry out a check: %s", reason)
    return Unmakeable(reason=f"the worker cannot carry it out: {reason}")
