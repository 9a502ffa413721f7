"""The one owner of mutable state: the verdict of every check, and the desired table that follows from them.

Outcomes go in by `record`; what comes out are events, the newest desired table, and frozen snapshots. Nothing here
waits: each call leaves everything consistent before it returns, so there are no locks.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping

from checkers.base import Outcome
from healthd import edits, policy
from healthd.clock import Clock
from healthd.config.values import ServiceConfig
from healthd.events import Bus
from healthd.herald import Herald, note_standing
from healthd.model import Endpoint, ServiceKey, Table, VirtualService
from healthd.overrides import Admin, Freeze, Override
from healthd.plan import Change, Job, JobId, Plan, diff
from healthd.policy import Decision, ServerState
from healthd.snapshot import Snapshot
from healthd.state import Place, ServerRecord, ServiceRecord, adopted, carried_over, places, taken_latencies
from healthd.tally import Latency
from healthd.verdict import Health, Verdict
from healthd.views import service_view

Submit = Callable[[Table, frozenset[ServiceKey]], None]
"""Takes the newest desired table, and the keys of services that were owned and are to go."""


class Controller:
    def __init__(self, plan: Plan, clock: Clock, bus: Bus, submit: Submit) -> None:
        self._plan = plan
        self._clock = clock
        self._herald = Herald(clock, bus)
        self._submit = submit
        self._services: dict[str, ServiceRecord] = {}
        self._places: dict[JobId, Place] = {}
        self._decisions: dict[str, Decision] = {}
        self._desired = Table()
        self.recorded_at = 0.0
        """When the last outcome of any check was taken in, in monotonic time."""
        self.frozen: Freeze | None = None
        """What is shown of it; the reconciler is who keeps its hands off the table."""

    @property
    def desired(self) -> Table:
        return self._desired

    @property
    def snapshot(self) -> Snapshot:
        return finished(self.snapshot_slices())

    def snapshot_slices(self) -> Generator[None, None, Snapshot]:
        """The same, with pauses in which the world goes on: each server is shown as it is at its turn."""
        views = []
        for name in list(self._services):
            record = self._services.get(name)
            if record is not None:  # a reload may have come in between
                views.append((yield from service_view(record, self._decisions[name], self._clock.monotonic())))
        return Snapshot(tuple(views), self._clock.wall(), self.frozen)

    def taken_latencies(self) -> Generator[Latency]:
        """What each check took since this was last called. It may be paused between any two."""
        return taken_latencies(list(self._services.values()))

    @property
    def overrides(self) -> dict[tuple[str, Endpoint], Override]:
        """What operators have set, by service and server."""
        return {
            (name, endpoint): server.override
            for name, record in self._services.items()
            for endpoint, server in record.servers.items()
            if server.override is not None
        }

    @property
    def verdicts(self) -> dict[JobId, Verdict]:
        """The verdict of every check, for whoever keeps them between runs."""
        return {job_id: check.verdict for job_id, (_, _, check) in self._places.items()}

    def start(
        self,
        actual: Table,
        remembered: Mapping[JobId, Verdict] | None = None,
        overrides: Mapping[tuple[str, Endpoint], Override] | None = None,
    ) -> None:
        """Takes over what is in the table. Nothing that is so from the start is news.

        `remembered` verdicts, of an earlier run, are believed before the table: where the two differ somebody else
        has edited it since. An undecided one says nothing, so there the table does. `overrides` of servers that are no
        longer configured are forgotten.
        """
        now = self._clock.wall()
        self._services = {name: _adopted(service, actual, now) for name, service in self._plan.services.items()}
        self._places = places(self._services, self._plan)
        for job_id, verdict in (remembered or {}).items():
            if job_id in self._places and verdict.health is not Health.UNDECIDED:
                _, _, check = self._places[job_id]
                check.verdict = verdict
        for (name, endpoint), override in (overrides or {}).items():
            if name in self._services and endpoint in self._services[name].servers:
                self._services[name].servers[endpoint].override = override
        self._decide_all()
        for name, record in self._services.items():
            for server in record.servers.values():
                server.told = server.health
            note_standing(record, self._decisions[name])
        self._publish_table(frozenset())

    def record(self, job: Job, outcome: Outcome) -> bool:
        """Takes in an outcome. True when the check is settled, False when it is worth repeating soon."""
        service, server, check = self._places[job.id]
        self.recorded_at = self._clock.monotonic()
        check.note(outcome, self.recorded_at)
        service.tally.add(job.check.name, outcome)
        if check.goes_on(outcome):
            check.last = outcome
            return True
        before = server.state
        transition = check.take(outcome)
        if check.unknowns_in_a_row == 1:
            self._herald.unknown(job, outcome)
        if server.state != before:
            self._go_over(service, server, before, job.check.name, transition.outcomes if transition else ())
        return check.verdict.settled

    def override(self, name: str, endpoint: Endpoint, override: Override | None) -> tuple[edits.Edit, ...]:
        """Sets what an operator wants of a server, or with None ends it; the edits that follow.

        A server that comes out of maintenance, or was cut, has to pass its checks before it gets traffic again.

        Raises:
            KeyError: there is no such service, or it has no such server.

        """
        service = self._services[name]
        server = service.servers[endpoint]
        before, old = server.state, server.override
        server.override = override
        if old is not None and (old.cut or old.admin is Admin.MAINTENANCE) and not (override and override.held):
            server.found = endpoint in self._decisions[name].virtual.destinations
            server.begin_anew()
        return self._go_over(service, server, before)

    def _go_over(
        self,
        service: ServiceRecord,
        server: ServerRecord,
        before: ServerState,
        check: str = "",
        outcomes: tuple[Outcome, ...] = (),
    ) -> tuple[edits.Edit, ...]:
        """Decides on a service of which one server is no longer as `before`, tells and submits what follows."""
        old, new = self._decide_again(service, server, before)
        commands = edits.diff(Table({service.config.key: new}), Table({service.config.key: old}))
        if server.health is not before.health:
            server.since = self._clock.wall()
            server.transitions += 1
        decision = self._decisions[service.config.name]
        self._herald.server(service, server, decision, commands, check, outcomes)
        self._herald.standing(service, decision)
        self._publish_service(service)
        return tuple(commands)

    def replace(self, plan: Plan, actual: Table) -> Change:
        """Goes on with another plan: what did not change keeps its state, `actual` tells of services new to us."""
        change = diff(self._plan, plan)
        retired = self._plan.keys - plan.keys
        known = {name: self._known(service, plan) for name, service in plan.services.items()}
        before = self._decisions
        now = self._clock.wall()
        self._plan = plan
        self._services = {
            name: carried_over(old, service, now) if (old := known[name]) else _adopted(service, actual, now)
            for name, service in plan.services.items()
        }
        self._places = places(self._services, plan)
        self._decide_all()
        for name, record in self._services.items():
            if old := known[name]:
                self._tell_reload(record, before[old.config.name])
            else:
                note_standing(record, self._decisions[name])
        self._publish_table(retired)
        return change

    def _known(self, service: ServiceConfig, plan: Plan) -> ServiceRecord | None:
        """What is known of a service: under its key, which is what it is in the table; or, if it moves, its name."""
        for record in self._services.values():
            if record.config.key == service.key:
                return record
        namesake = self._services.get(service.name)
        return namesake if namesake and namesake.config.key not in plan.keys else None

    def _decide_again(
        self, service: ServiceRecord, server: ServerRecord, before: ServerState
    ) -> tuple[VirtualService, VirtualService]:
        """Decides on a service of which one server has changed; what differs in the table stands in the two results."""
        name, endpoint = service.config.name, server.config.endpoint
        old = self._decisions[name]
        new = policy.decide_one(service.config, old, server.config, before, server.state)
        self._decisions[name] = new or service.decide()
        if new is None:
            return old.virtual, self._decisions[name].virtual
        return old.virtual.only(endpoint), new.virtual.only(endpoint)

    def _decide_all(self) -> None:
        self._decisions = {name: record.decide() for name, record in self._services.items()}

    def _publish_table(self, retired: frozenset[ServiceKey]) -> None:
        self._desired = Table(
            {record.config.key: self._decisions[name].virtual for name, record in self._services.items()}
        )
        self._submit(self._desired, retired)

    def _publish_service(self, service: ServiceRecord) -> None:
        services = dict(self._desired.services)
        services[service.config.key] = self._decisions[service.config.name].virtual
        self._desired = Table(services)
        self._submit(self._desired, frozenset())

    def _tell_reload(self, service: ServiceRecord, before: Decision) -> None:
        """A check that is no more can be what kept a server down, and a server that is no more the last one."""
        decision = self._decisions[service.config.name]
        key = service.config.key
        commands = edits.diff(Table({key: decision.virtual}), Table({key: before.virtual}))
        for server in service.servers.values():
            self._herald.server(service, server, decision, commands)
        self._herald.standing(service, decision)


def _adopted(service: ServiceConfig, actual: Table, at: float) -> ServiceRecord:
    return adopted(service, actual.services.get(service.key, VirtualService()), at)


def finished(slices: Generator[None, None, Snapshot]) -> Snapshot:
    """What it gives in the end, without the pauses."""
    while True:
        try:
            next(slices)
        except StopIteration as done:
            snapshot: Snapshot = done.value
            return snapshot
