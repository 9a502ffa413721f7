"""From verdicts to the desired table. Pure: the same servers in the same health give the same table.

Rules:

1. A server that is up has its weight: the configured one, or the one it asked for.
2. A server that is down is quiesced (weight 0: connections end in peace) or removed, as the service says.
3. An undecided server is left as it was found: at weight 0 if it was in the table, out of it if it was not. Traffic
   that it did not have it does not get.
4. A server is *available* when it is up and its weight is above 0. The fallback is in the table exactly while no
   server is available.
5. Without a fallback, `all_down = "all"` brings every server back at its configured weight once all are known to be
   down: better a few errors than none to answer. `"empty"` lets the service be empty.
6. What an operator has set comes first: a server that is drained has weight 0, one in maintenance stands as if it were
   down, one that is cut is not in the table, and rule 5 brings none of them back.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

from healthd.config.values import AllDown, OnFailure, ServerConfig, ServiceConfig
from healthd.layered import Layered
from healthd.model import Destination, Endpoint, VirtualService
from healthd.overrides import Admin, Override
from healthd.verdict import Health


@dataclass(frozen=True, slots=True)
class ServerState:
    """What the policy has to know of a server. `found`: it was in the table when healthd came to own the service."""

    health: Health = Health.UNDECIDED
    found: bool = False
    wish: int | None = None
    override: Override | None = None

    @property
    def held(self) -> bool:
        return self.override is not None and self.override.held


class Standing(enum.Enum):
    """How a service stands: STARTING until a server is available, or all of them are decided."""

    STARTING = "starting"
    SERVED = "served"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a service's part of the table has to be, and how the service stands with it."""

    virtual: VirtualService
    standing: Standing
    available: int
    undecided: int
    fallback_active: bool
    fail_open: bool


def decide(service: ServiceConfig, states: Mapping[Endpoint, ServerState]) -> Decision:
    available = sum(is_available(server, states[server.endpoint]) for server in service.servers)
    undecided = sum(states[server.endpoint].health is Health.UNDECIDED for server in service.servers)
    fail_open = _fail_open(service, available, undecided)
    destinations: dict[Endpoint, Destination] = {}
    for server in service.servers:
        state = states[server.endpoint]
        destination = server.destination if fail_open and not state.held else _destination(service, server, state)
        if destination is not None:
            destinations[server.endpoint] = destination
    if not available and service.fallback is not None:
        destinations[service.fallback.endpoint] = service.fallback.destination
    return Decision(
        VirtualService(service.options, destinations),
        _standing(available, undecided),
        available,
        undecided,
        fallback_active=not available and service.fallback is not None,
        fail_open=fail_open,
    )


def decide_one(
    service: ServiceConfig, before: Decision, server: ServerConfig, old: ServerState, new: ServerState
) -> Decision | None:
    """What `decide` would say now that this one server went from `old` to `new`, without looking at all the others.

    None where the others are concerned too: the first available server came or the last one went.
    """
    available = before.available - is_available(server, old) + is_available(server, new)
    undecided = before.undecided - (old.health is Health.UNDECIDED) + (new.health is Health.UNDECIDED)
    if bool(available) != bool(before.available) or before.fail_open or _fail_open(service, available, undecided):
        return None
    known, destination = Layered.of(before.virtual.destinations), _destination(service, server, new)
    endpoint = server.endpoint
    destinations = known.without(endpoint) if destination is None else known.with_item(endpoint, destination)
    return replace(
        before,
        virtual=VirtualService(service.options, destinations),
        standing=_standing(available, undecided),
        available=available,
        undecided=undecided,
    )


def _standing(available: int, undecided: int) -> Standing:
    if available:
        return Standing.SERVED
    return Standing.STARTING if undecided else Standing.LOST


def _fail_open(service: ServiceConfig, available: int, undecided: int) -> bool:
    nobody = _standing(available, undecided) is Standing.LOST
    return nobody and service.fallback is None and service.all_down is AllDown.ALL


def is_available(server: ServerConfig, state: ServerState) -> bool:
    """Rule 4."""
    return weight_of(server, state) > 0


def weight_of(server: ServerConfig, state: ServerState) -> int:
    """Rules 1, 2 and 6; 0 also where it is not to be in the table."""
    if state.health is not Health.UP or state.held:
        return 0
    if state.override is not None and state.override.weight is not None:
        return state.override.weight.of(server.destination.weight)
    return server.destination.weight if state.wish is None else state.wish


def _destination(service: ServiceConfig, server: ServerConfig, state: ServerState) -> Destination | None:
    """The server as it has to stand in the table, or None if it is not to be in it."""
    if not _present(service, state):
        return None
    weight, configured = weight_of(server, state), server.destination
    return configured if weight == configured.weight else replace(configured, weight=weight)


def _present(service: ServiceConfig, state: ServerState) -> bool:
    admin = state.override.admin if state.override is not None else Admin.READY
    if state.override is not None and state.override.cut:
        return False
    match state.health:
        case Health.UNDECIDED:
            return state.found
        case Health.UP if admin is not Admin.MAINTENANCE:
            return True
        case _:
            return service.on_failure is OnFailure.QUIESCE
