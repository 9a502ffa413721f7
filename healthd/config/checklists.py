"""The checks of a service, each with the times and thresholds that it inherits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from healthd.config.checks import Check, CheckReader
from healthd.config.findings import Findings, Place
from healthd.config.layers import Layers, Level
from healthd.config.sections import Section
from healthd.config.values import CheckConfig
from healthd.config.words import seconds_as_text, unknown_name


@dataclass(frozen=True, slots=True)
class NamedChecks:
    """The [check.NAME] tables; None stands for one that is wrong. `used` grows as services name them."""

    checks: Mapping[str, Check | None]
    used: set[str] = field(default_factory=set)


def checks(layers: Layers, named: NamedChecks, reader: CheckReader, findings: Findings) -> tuple[CheckConfig, ...]:
    """All checks of the service. Each has a name of its own among them."""
    if "check" not in layers.values:
        if layers.sound("check"):
            hint = 'to leave the servers unchecked write check = { type = "always" }'
            findings.error(layers.own.section.place, f'missing key "check"; {hint}')
        return ()
    found: dict[str, Check] = {}
    for suffix, entry in layers.values["check"]:
        place = layers.where("check")
        for part in suffix:
            place /= part
        if isinstance(entry, str):
            check = _named(entry, place, named, findings)
            name = entry
            if name in found:
                findings.error(place, f'"{name}" stands here twice')
        else:
            check = reader.read(Section(place, entry))
            name = _unused_name(check.kind, found) if check else ""
        if check is not None:
            found[name] = check
    return tuple(_timed(name, check, layers, findings) for name, check in found.items())


def _named(name: str, place: Place, named: NamedChecks, findings: Findings) -> Check | None:
    if name not in named.checks:
        otherwise = (
            f"the named checks are {', '.join(sorted(named.checks))}" if named.checks else "there is no [check.NAME]"
        )
        findings.error(place, unknown_name("check", name, list(named.checks), otherwise))
        return None
    named.used.add(name)
    return named.checks[name]


def _unused_name(kind: str, used: Mapping[str, object]) -> str:
    """A name for a check in place: its kind, with a number where that is taken."""
    number = 1
    name = kind
    while name in used:
        number += 1
        name = f"{kind}-{number}"
    return name


def _timed(name: str, check: Check, layers: Layers, findings: Findings) -> CheckConfig:
    """The check with its times. A time that nobody has written gives way to a short interval."""
    own, inherited = check.timing, layers.values
    interval = own.get("interval", inherited["interval"])
    fast_interval = own.get("fast_interval", inherited["fast_interval"])
    timeout = own.get("timeout", inherited["timeout"])
    if _level("timeout", check, layers) is Level.BUILT_IN:
        timeout = min(timeout, interval)
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
    )


_CONSEQUENCE = {
    "timeout": "a slow answer delays the next check",
    "fast_interval": "it is taken for the interval",
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
