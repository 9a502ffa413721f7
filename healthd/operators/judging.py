"""Whom an order is about, and whether it may be: decided as a whole, before any of it is done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

from healthd.controller import Controller
from healthd.model import Endpoint
from healthd.operators.acting import Becomes, shortfall
from healthd.operators.orders import Refused, listed
from healthd.operators.selecting import Key, Servers, no_match, selected
from healthd.operators.slices import Slices

Selector = str | Sequence[str]

MOST_TOLD = 2
"""Selectors that match nothing, of which near names are told: to look for them takes a while."""
LOOKED_AT = 250
"""Servers that are compared with a pattern in one go: one or two milliseconds."""


async def chosen(selector: Selector, controller: Controller) -> list[Key]:
    """All that any of the selectors means, each server once.

    Raises:
        Refused: one of them means nothing.

    """
    servers: Servers = {name: service.servers for name, service in controller.services.items()}
    parts = list(_parts(servers))
    found: dict[Key, None] = {}
    missing: list[str] = []
    slices = Slices(LOOKED_AT)
    for each in listed(selector):
        some: list[Key] = []
        for part in parts:
            some += selected(each, part)
            await slices.after(sum(map(len, part.values())))
        found |= dict.fromkeys(some)
        missing += [] if some else [each]
    if missing:
        told = [no_match(each, servers) for each in missing[:MOST_TOLD]]
        rest = [f"and {len(missing) - MOST_TOLD} more match nothing"] if len(missing) > MOST_TOLD else []
        raise Refused("not_found", *told, *rest)
    return list(found)


def _parts(servers: Servers) -> Iterator[Servers]:
    """The same in groups of so many servers at most."""
    part: dict[str, Collection[Endpoint]] = {}
    left = LOOKED_AT
    for name, endpoints in servers.items():
        waiting = iter(endpoints)
        while some := dict.fromkeys(islice(waiting, left)):
            part[name] = some
            left -= len(some)
            if not left:
                yield part
                part, left = {}, LOOKED_AT
    yield part


async def judge(keys: Iterable[Key], becomes: Becomes, controller: Controller) -> None:
    """Whether each service could spare them; the result of the whole counts.

    What the checks find in the meantime, and while the order is carried out, comes after it: a server that fails then
    fails as it would have a moment later.

    Raises:
        Refused: a service would be left with too few.

    """
    short: list[str] = []
    slices = Slices()
    for name, endpoints in by_service(keys).items():
        service = controller.services.get(name)
        if service is not None:  # a reload may have come in between
            servers = service.servers
            wanted = {each: becomes(servers[each].override) for each in endpoints if each in servers}
            short.append(shortfall(service, controller.available(name), wanted))
        await slices.after(len(endpoints))
    if any(short):
        raise Refused("conflict", *filter(None, short))


def by_service(keys: Iterable[Key]) -> dict[str, list[Endpoint]]:
    found: dict[str, list[Endpoint]] = {}
    for name, endpoint in keys:
        found.setdefault(name, []).append(endpoint)
    return found
