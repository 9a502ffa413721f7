"""The checks of a service, each with the times and thresholds that it inherits."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from checkers.registry import kinds
from healthd.config.checkentry import Entry
from healthd.config.checks import Check, CheckReader
from healthd.config.findings import Findings, Place
from healthd.config.layers import Layers, Level
from healthd.config.sections import Section
from healthd.config.values import CheckConfig
from healthd.config.words import seconds_as_text, unknown_name


@dataclass(frozen=True, slots=True)
class CheckLists:
    """Reads `check` keys. `named` are the [check.NAME] tables, None one that is wrong; `used` are referred to."""

    named: Mapping[str, Check | None]
    reader: CheckReader
    findings: Findings
    used: set[str] = field(default_factory=set)

    def of(self, layers: Layers) -> tuple[CheckConfig, ...]:
        """All checks of a service. Each has a name of its own among them."""
        if "check" not in layers.values:
            if layers.sound("check"):
                hint = 'to leave the servers unchecked write check = { type = "always" }'
                self.findings.error(layers.own.section.place, f'missing key "check"; {hint}')
            return ()
        found = self.read(layers.values["check"], layers.where("check"))
        return tuple(_timed(name, check, layers, self.findings) for name, check in found.items())

    def read(self, entries: tuple[Entry, ...], place: Place) -> dict[str, Check]:
        """The checks of one `check` key by name, without those that are wrong."""
        taken = {entry for _, entry in entries if isinstance(entry, str)}
        found: dict[str, Check] = {}
        for suffix, entry in entries:
            at = functools.reduce(Place.__truediv__, suffix, place)
            if isinstance(entry, str):
                name, check = entry, self._named(entry, at)
                if name in found:
                    self.findings.error(at, f'"{name}" stands here twice')
            else:
                check = self.reader.read(Section(at, entry))
                name = _free_name(check.kind, taken) if check else ""
                taken.add(name)
            if check is not None:
                found[name] = check
        return found

    def _named(self, name: str, place: Place) -> Check | None:
        if name not in self.named:
            self.findings.error(place, _unknown(name, sorted(self.named)))
            return None
        self.used.add(name)
        return self.named[name]


def _unknown(name: str, known: list[str]) -> str:
    if name in kinds():
        return f'no check named "{name}"; for the kind of this name write check = {{ type = "{name}" }}'
    return unknown_name(
        "check", name, known, f"the named checks are {', '.join(known)}" if known else "no [check.NAME] is defined"
    )


def _free_name(kind: str, taken: Collection[str]) -> str:
    """A name for a check in place: its kind, with a number where that is taken."""
    numbered = (f"{kind}-{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([kind], numbered) if name not in taken)


def _timed(name: str, check: Check, layers: Layers, findings: Findings) -> CheckConfig:
    """The check with its times. A time that nobody has written gives way to a short interval."""
    own, inherited = check.timing, layers.values
    interval = own.get("interval", inherited["interval"])
    fast_interval = own.get("fast_interval", inherited["fast_interval"])
    timeout = own.get("timeout", inherited["timeout"])
    if _level("timeout", check, layers) is Level.BUILT_IN:
        timeout = min(timeout, interval)
    slow = own.get("slow", inherited["slow"])
    if timeout <= slow < math.inf:
        text = f"slow = {seconds_as_text(slow)} is never reached: the timeout is {seconds_as_text(timeout)}"
        findings.warn(check.place / "slow" if "slow" in own else layers.where("slow"), text)
    for key, seconds in (("timeout", timeout), ("fast_interval", fast_interval)):
        if seconds > interval and (place := _blame(key, check, layers)):
            times = f"of {seconds_as_text(seconds)} is longer than the interval of {seconds_as_text(interval)}"
            findings.warn(place, f"a {key} {times}: {_CONSEQUENCE[key]}")
    return CheckConfig(
        name=name,
        kind=check.kind,
        checker=check.checker,
        interval=interval,
        fast_interval=min(fast_interval, interval),
        timeout=timeout,
        fall=own.get("fall", inherited["fall"]),
        rise=own.get("rise", inherited["rise"]),
        slow=slow,
    )


_CONSEQUENCE = {
    "timeout": "a slow answer delays the next check",
    "fast_interval": "the interval is used instead",
}


def _blame(key: str, check: Check, layers: Layers) -> Place | None:
    """Where it was last decided that time `key` is longer than the interval; None where nobody can be blamed."""
    level, interval = _level(key, check, layers), _level("interval", check, layers)
    if level is Level.BUILT_IN or (key == "fast_interval" and level < interval):
        return None
    nearer = key if level >= interval else "interval"
    return check.place / nearer if nearer in check.timing else layers.where(nearer)


def _level(key: str, check: Check, layers: Layers) -> Level:
    return Level.CHECK if key in check.timing else layers.level(key)
