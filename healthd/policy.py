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
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

from healthd.config.values import AllDown, OnFailure, ServerConfig, ServiceConfig
from healthd.model import Destination, Endpoint, VirtualService
from healthd.verdict import Health


@dataclass(frozen=True, slots=True)
class ServerState:
    """What the policy has to know of a server. `found`: it was in the table when healthd came to own the service."""

    health: Health = Health.UNDECIDED
    found: bool = False
    wish: int | None = None


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
    fallback_active: bool
    fail_open: bool


def decide(service: ServiceConfig, states: Mapping[Endpoint, ServerState]) -> Decision:
    weights = {server.endpoint: _weight(server, states[server.endpoint]) for server in service.servers}
    available = sum(weight > 0 for weight in weights.values())
    undecided = any(states[server.endpoint].health is Health.UNDECIDED for server in service.servers)
    standing = Standing.SERVED if available else Standing.STARTING if undecided else Standing.LOST
    fail_open = standing is Standing.LOST and service.fallback is None and service.all_down is AllDown.ALL
    destinations: dict[Endpoint, Destination] = {}
    for server in service.servers:
        if fail_open:
            destinations[server.endpoint] = server.destination
        elif _present(service, states[server.endpoint]):
            destinations[server.endpoint] = replace(server.destination, weight=weights[server.endpoint])
    if not available and service.fallback is not None:
        destinations[service.fallback.endpoint] = service.fallback.destination
    virtual = VirtualService(service.options, destinations)
    return Decision(virtual, standing, available, not available and service.fallback is not None, fail_open)


def _weight(server: ServerConfig, state: ServerState) -> int:
    if state.health is not Health.UP:
        return 0
    return server.destination.weight if state.wish is None else state.wish


def _present(service: ServiceConfig, state: ServerState) -> bool:
    match state.health:
        case Health.UP:
            return True
        case Health.DOWN:
            return service.on_failure is OnFailure.QUIESCE
        case Health.UNDECIDED:
            return state.found
