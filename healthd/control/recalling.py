"""Why a server was in its state at a time in the past, as far as the history goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from healthd.config.values import ServiceConfig
from healthd.control import explaining
from healthd.control.sources import History, Wanted
from healthd.snapshot import ServerView, ServiceView
from healthd.verdict import Health

FOUND = ("server_down", "server_up", "server_admitted")
"""The kinds of events by which a server's health is made known."""

HELD = ("maintenance_began", "maintenance_ended", "drain_began", "drain_ended")
"""The kinds of events by which an operator takes a server out and brings it back."""

BEGAN = ("maintenance_began", "drain_began")
WEIGHED = ("weight_set",)

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Past:
    """The last event of each sort before a time, each with its `id`; None where none is on record.

    `began` is when what holds it began, where `held` tells how far that is since.
    """

    found: Event | None = None
    held: Event | None = None
    began: Event | None = None
    weighed: Event | None = None


async def past(history: History, service: str, server: str, at: float) -> Past:
    """Raises `Unanswered`."""

    async def last(kinds: tuple[str, ...]) -> Event | None:
        records, _ = await history.events(Wanted(service=service, server=server, kinds=kinds, until=at, limit=1))
        return next(iter(records), None)

    return Past(await last(FOUND), await last(HELD), await last(BEGAN), await last(WEIGHED))


async def decided(history: History, service: str, server: ServerView) -> Event | None:
    """What has made its present health known, of which nothing is remembered but on the disk. Raises `Unanswered`."""
    records, _ = await history.events(Wanted(service=service, server=server.name, kinds=FOUND, limit=1))
    return next((record for record in records if record.get("new") == server.health.value), None)


def then(
    service: ServiceView, server: ServerView, config: ServiceConfig | None, at: float, known: Past
) -> dict[str, Any]:
    """At the time `at`, by what is `known` from before it."""
    name, when = f"{service.name}/{server.name}", explaining.time(at)
    decisive = _decisive(known)
    if decisive is None:
        text = [f"nothing is known of {name} at {when}: the history does not go back so far"]
        return {"state": "unknown", "since": None, "text": text, "event": None, **_NOTHING}
    held, health = _hold(known), _health(known)
    acts = [f"{explaining.time(event['at'])}: {event['text']}" for event in _acts(known)]
    state = f"{name} was {explaining.word(held or health.value)} at {when}, since {explaining.time(decisive['at'])}"
    check = str(known.found.get("check", "")) if known.found else ""
    return {
        "state": held or health.value,
        "since": decisive["at"],
        "text": [state, *acts, *explaining.told(known.found)],
        "acts": acts,
        "event": dict(known.found or decisive),
        "rule": explaining.rule(health, explaining.check_of(config, check)),
        "edits": explaining.edits(decisive),
        "checks": [],
    }


_NOTHING: Mapping[str, Any] = {"acts": [], "rule": "", "edits": [], "checks": []}


def _hold(known: Past) -> str:
    """`drain` or `maintenance` while an operator has it so; a drain that is done or cut goes on until it is ended."""
    event = known.held
    if event is None or event["kind"] == "maintenance_ended" or event.get("cause") == "ready":
        return ""
    return "maintenance" if event["kind"] == "maintenance_began" else "drain"


def _anew(known: Past) -> bool:
    """It has come out of maintenance, and its checks have not decided about it yet."""
    ended = known.held is not None and known.held["kind"] == "maintenance_ended"
    return ended and (known.found is None or known.held["id"] > known.found["id"])  # type: ignore[index] # ended


def _health(known: Past) -> Health:
    if known.found is None or _anew(known) or known.found.get("new") not in {"up", "down"}:
        return Health.UNDECIDED
    return Health(known.found["new"])


def _decisive(known: Past) -> Event | None:
    """The event since which it was in that state."""
    if _hold(known):
        return known.began or known.held
    return known.held if _anew(known) else known.found


def _acts(known: Past) -> Iterator[Event]:
    """What operators had set then."""
    if known.began is not None and _hold(known):
        yield known.began
    if known.held is not None and (_hold(known) or _anew(known)) and known.held != known.began:
        yield known.held
    if known.weighed is not None and known.weighed.get("weight"):
        yield known.weighed
