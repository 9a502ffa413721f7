"""A controller with its surroundings, for its tests."""

from __future__ import annotations

from checkers.base import Outcome
from healthd.clock import ManualClock
from healthd.config.values import ServiceConfig
from healthd.controller import Controller
from healthd.events import Bus, Event
from healthd.model import Destination, Endpoint, ServiceKey, Table, VirtualService
from healthd.plan import JobId, make
from healthd.remembered import Memory
from healthd.verdict import Verdict
from tests.support.building import KEY, config, outcomes


def table(*servers: tuple[Endpoint, int], key: ServiceKey = KEY) -> Table:
    """A service as it is found: its servers with their weights."""
    return Table({key: VirtualService(destinations={end: Destination(weight=weight) for end, weight in servers})})


class Running:
    """A controller with its surroundings: what it told, and the tables that it submitted."""

    def __init__(
        self,
        *services: ServiceConfig,
        actual: Table | None = None,
        remembered: dict[JobId, Verdict] | None = None,
        causes: dict[JobId, Outcome] | None = None,
    ) -> None:
        self.bus = bus = Bus()
        self.clock = ManualClock()
        self._told = bus.subscribe()
        self.submitted: list[tuple[Table, frozenset[ServiceKey]]] = []
        self.plan = make(config(*services))
        self.controller = Controller(
            self.plan, self.clock, bus, lambda desired, retired: self.submitted.append((desired, retired))
        )
        self.controller.start(actual or Table(), Memory(remembered or {}, causes or {}))

    def ask(self, endpoint: Endpoint, letters: str, name: str = "tcp", service: str = "web") -> bool:
        """Records outcomes; whether the check is settled after the last."""
        return [self.record(endpoint, outcome, name, service) for outcome in outcomes(letters)][-1]

    def record(self, endpoint: Endpoint, outcome: Outcome, name: str = "tcp", service: str = "web") -> bool:
        return self.controller.record(self.plan.jobs[JobId(f"{service}/{endpoint}/{name}")], outcome)

    def reload(self, *services: ServiceConfig, actual: Table | None = None) -> None:
        self.plan = make(config(*services))
        self.controller.replace(self.plan, actual or Table())

    def weights(self, key: ServiceKey = KEY) -> dict[Endpoint, int]:
        destinations = self.controller.desired.services[key].destinations
        return {endpoint: destination.weight for endpoint, destination in destinations.items()}

    def told(self) -> list[str]:
        """The texts of the events since the last call, with their kinds."""
        return [f"{event.kind}: {event.text()}" for event in self.events()]

    def events(self) -> list[Event]:
        return list(iter(self._told.get_nowait, None))
