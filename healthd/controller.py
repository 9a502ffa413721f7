"""The one owner of mutable state: the verdict of every check, and the desired table that follows from them.

Outcomes go in by `record`; what comes out are events, the newest desired table, and frozen snapshots. Nothing here
waits: each call leaves everything consistent before it returns, so there are no locks.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence

from checkers.base import Code, Outcome
from healthd import edits
from healthd.clock import Clock
from healthd.events import Bus
from healthd.herald import Herald, note_standing
from healthd.layered import Layered
from healthd.model import Endpoint, ServiceKey, Table
from healthd.overrides import Admin, Freeze, Override
from healthd.phases import NOTHING, Spent
from healthd.plan import Change, Job, JobId, Plan, diff
from healthd.policy import Decision, ServerState
from healthd.remembered import Memory
from healthd.snapshot import ServiceView, Snapshot
from healthd.state import Place, ServerRecord, ServiceRecord, decided_again, places, taken_latencies
from healthd.succession import known_under, recall, succeeded
from healthd.tally import Latency, Repeated
from healthd.verdict import Health, Verdict
from healthd.views import SLICE, finished, service_view
from healthd.weights import slowed

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
        """When the last outcome of a check that is asked was taken in, in monotonic time."""
        self.frozen: Freeze | None = None
        """What is shown of it; the reconciler is who keeps its hands off the table."""

    @property
    def desired(self) -> Table:
        return self._desired

    @property
    def services(self) -> Mapping[str, ServiceRecord]:
        """The memory itself, by service: for those who look through it without a pause and change nothing."""
        return self._services

    @property
    def snapshot(self) -> Snapshot:
        return finished(self.snapshot_slices())

    def snapshot_slices(self) -> Generator[None, None, Snapshot]:
        """The same, with pauses in which the world goes on: each server is shown as it is at its turn."""
        views: list[ServiceView] = []
        shown = 0
        for name in list(self._services):
            record = self._services.get(name)
            if record is not None:  # a reload may have come in between
                views.append((yield from service_view(record, self._decisions[name], self._clock.monotonic())))
                shown += len(record.servers) + 1
            if shown >= SLICE:
                shown = 0
                yield
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

    def available(self, name: str) -> int:
        """How many servers of the service are available now."""
        return self._decisions[name].available

    @property
    def verdicts(self) -> dict[JobId, Verdict]:
        """The verdict of every check, for whoever keeps them between runs."""
        return {job_id: check.verdict for job_id, (_, _, check) in self._places.items()}

    def start(self, actual: Table, memory: Memory) -> None:
        """Takes over what is in the table. Nothing that is so from the start is news.

        The verdicts in the `memory` of an earlier run are believed before the table: where the two differ somebody
        else has edited it since. An undecided one says nothing, so there the table does. What is remembered of servers
        that are no longer configured is forgotten.
        """
        self._services = succeeded(self._plan, {}, actual, self._clock.wall())
        self._places = places(self._services, self._plan)
        recall(memory, self._services, self._places)
        self._decide_all()
        for name, record in self._services.items():
            for server in record.servers.values():
                server.told = server.health
            note_standing(record, self._decisions[name])
        self._publish_table(frozenset())

    def record(self, job: Job, outcome: Outcome, spent: Spent = NOTHING) -> bool:
        """Takes in an outcome, and what its parts took. False when the check is worth repeating soon."""
        service, server, check = place = self._places[job.id]
        if outcome.seconds > job.check.slow:
            outcome = slowed(outcome, job.check.slow)
        self.recorded_at = self._clock.monotonic()
        check.note(outcome, self.recorded_at)
        service.tally.add(job.check.name, outcome, spent)
        if check.goes_on(outcome):
            check.last = outcome
            return True
        before, weighed = server.state, server.weighed
        transition = check.take(outcome)
        server.weigh(service.config.damping, self.recorded_at, was=before.health)
        if server.weighed.pending and not weighed.pending:
            due = server.weighed.at + service.config.damping.interval
            self._clock.call_at(due, lambda: self._take_up(place))
        if check.unknowns_in_a_row == 1 and outcome.code != Code.WORKER:
            self._herald.unknown(job, outcome)
        if server.state != before:
            evidence = transition.outcomes if transition else ()
            self._go_over(service, [(server, before)], job.check.name, evidence)
        self._herald.weighed(place, before, weighed)
        return check.verdict.settled

    def _take_up(self, place: Place) -> None:
        """A weight was put off until now; it may not be asked for any more, or a reload may have seen to it."""
        service, server, _ = place
        if not server.weighed.pending or self._services.get(service.config.name) is not service:
            return
        before, weighed = server.state, server.weighed
        server.weigh(service.config.damping, self._clock.monotonic(), was=before.health)
        if server.state != before:
            self._go_over(service, [(server, before)])
        self._herald.weighed(place, before, weighed)

    def count(self, job: Job, repeated: Repeated) -> None:
        """Takes in how often an outcome came that changed nothing, and was not recorded."""
        service, _, check = self._places[job.id]
        service.tally.add_many(job.check.name, repeated)
        check.note_many(repeated)

    def report(self, job: Job, outcome: Outcome) -> bool:
        """The same as `record`, of an outcome that came by itself: it says nothing of whether checks advance."""
        advanced_at = self.recorded_at
        settled = self.record(job, outcome)
        self.recorded_at = advanced_at
        return settled

    def override_all(self, name: str, overrides: Mapping[Endpoint, Override | None]) -> tuple[edits.Edit, ...]:
        """Sets what an operator wants of some servers of a service, or with None ends it; the edits that follow.

        It is one change, and decided on once. A server that comes out of maintenance, or was cut, has to pass its
        checks before it gets traffic again.

        Raises:
            KeyError: there is no such service, or it has no such server.

        """
        service = self._services[name]
        changed = [(service.servers[endpoint], service.servers[endpoint].state) for endpoint in overrides]
        for server, before in changed:
            new, old = overrides[server.config.endpoint], before.override
            server.override = new
            if old is not None and (old.cut or old.admin is Admin.MAINTENANCE) and not (new and new.held):
                server.found = server.config.endpoint in self._decisions[name].virtual.destinations
                server.begin_anew()
        return self._go_over(service, changed)

    def _go_over(
        self,
        service: ServiceRecord,
        changed: Sequence[tuple[ServerRecord, ServerState]],
        check: str = "",
        outcomes: tuple[Outcome, ...] = (),
    ) -> tuple[edits.Edit, ...]:
        """Decides on a service of which some servers are no longer as before, tells and submits what follows."""
        decision, old, new = decided_again(service, self._decisions[service.config.name], changed)
        self._decisions[service.config.name] = decision
        commands = edits.diff(Table({service.config.key: new}), Table({service.config.key: old}))
        for server, before in changed:
            if server.health is not before.health:
                server.since = self._clock.wall()
                server.transitions += before.health is not Health.UNDECIDED
            self._herald.server(service, server, decision, commands, check, outcomes)
        self._herald.standing(service, decision)
        self._publish_service(service)
        return tuple(commands)

    def replace(self, plan: Plan, actual: Table) -> Change:
        """Goes on with another plan: what did not change keeps its state, `actual` tells of services new to us."""
        change = diff(self._plan, plan)
        retired = self._plan.keys - plan.keys
        known = known_under(plan, self._services)
        before = self._decisions
        self._plan = plan
        self._services = succeeded(plan, known, actual, self._clock.wall())
        self._places = places(self._services, plan)
        self._decide_all()
        for name, record in self._services.items():
            if old := known[name]:
                self._tell_reload(record, before[old.config.name])
            else:
                note_standing(record, self._decisions[name])
        self._publish_table(retired)
        return change

    def _decide_all(self) -> None:
        self._decisions = {name: record.decide() for name, record in self._services.items()}

    def _publish_table(self, retired: frozenset[ServiceKey]) -> None:
        self._desired = Table(
            {record.config.key: self._decisions[name].virtual for name, record in self._services.items()}
        )
        self._submit(self._desired, retired)

    def _publish_service(self, service: ServiceRecord) -> None:
        virtual = self._decisions[service.config.name].virtual
        self._desired = Table(Layered.of(self._desired.services).with_item(service.config.key, virtual))
        self._submit(self._desired, frozenset())

    def _tell_reload(self, service: ServiceRecord, before: Decision) -> None:
        """A check that is no more can be what kept a server down, and a server that is no more the last one."""
        key, decision = service.config.key, self._decisions[service.config.name]
        commands = edits.diff(Table({key: decision.virtual}), Table({key: before.virtual}))
        for server in service.servers.values():
            self._herald.server(service, server, decision, commands)
        self._herald.standing(service, decision)
