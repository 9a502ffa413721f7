"""The one owner of mutable state: the verdict of every check, and the desired table that follows from them.

Outcomes go in by `record`; what comes out are events, the newest desired table, and frozen snapshots. Nothing here
waits: each call leaves everything consistent before it returns, so there are no locks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from checkers.base import Code, Outcome
from healthd import edits, events, policy
from healthd.clock import Clock
from healthd.config.values import ServiceConfig
from healthd.events import Bus
from healthd.model import ServiceKey, Table, VirtualService
from healthd.plan import Change, Job, JobId, Plan, diff
from healthd.policy import Decision, ServerState, Standing
from healthd.snapshot import Snapshot
from healthd.state import Place, ServerRecord, ServiceRecord, adopted, carried_over, places, service_view
from healthd.verdict import Health, Verdict

Submit = Callable[[Table, frozenset[ServiceKey]], None]
"""Takes the newest desired table, and the keys of services that were owned and are to go."""

_SERVER_EVENT: Mapping[tuple[Health, Health], type[events.ServerEvent]] = {
    (Health.UNDECIDED, Health.UP): events.ServerAdmitted,
    (Health.UNDECIDED, Health.DOWN): events.ServerDown,
    (Health.UP, Health.DOWN): events.ServerDown,
    (Health.DOWN, Health.UP): events.ServerUp,
}


class Controller:
    def __init__(self, plan: Plan, clock: Clock, bus: Bus, submit: Submit) -> None:
        self._plan = plan
        self._clock = clock
        self._bus = bus
        self._submit = submit
        self._services: dict[str, ServiceRecord] = {}
        self._places: dict[JobId, Place] = {}
        self._decisions: dict[str, Decision] = {}
        self._desired = Table()

    @property
    def desired(self) -> Table:
        return self._desired

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(tuple(service_view(record, self._decisions[name]) for name, record in self._services.items()))

    @property
    def verdicts(self) -> dict[JobId, Verdict]:
        """The verdict of every check, for whoever keeps them between runs."""
        return {job_id: check.verdict for job_id, (_, _, check) in self._places.items()}

    def start(self, actual: Table, remembered: Mapping[JobId, Verdict] | None = None) -> None:
        """Takes over what is in the table. Nothing that is so from the start is news.

        `remembered` verdicts, of an earlier run, are believed before the table: where the two differ somebody else
        has edited it since. An undecided one says nothing, so there the table does.
        """
        self._services = {name: _adopted(service, actual) for name, service in self._plan.services.items()}
        self._places = places(self._services, self._plan)
        for job_id, verdict in (remembered or {}).items():
            if job_id in self._places and verdict.health is not Health.UNDECIDED:
                _, _, check = self._places[job_id]
                check.verdict = verdict
        self._decide_all()
        for name, record in self._services.items():
            for server in record.servers.values():
                server.told = server.health
            _note_standing(record, self._decisions[name])
        self._publish_table(frozenset())

    def record(self, job: Job, outcome: Outcome) -> bool:
        """Takes in an outcome. True when the check is settled, False when it is worth repeating soon."""
        service, server, check = self._places[job.id]
        if check.goes_on(outcome):
            check.last = outcome
            return True
        before = server.state
        transition = check.take(outcome)
        if check.unknowns_in_a_row == 1 and outcome.code != Code.WORKER:
            self._tell_unknown(job, outcome)
        if server.state != before:
            old, new = self._decide_again(service, server, before)
            commands = edits.diff(Table({service.config.key: new}), Table({service.config.key: old}))
            self._tell_server(service, server, commands, job.check.name, transition.outcomes if transition else ())
            self._tell_standing(service)
            self._publish_service(service)
        return check.verdict.settled

    def replace(self, plan: Plan, actual: Table) -> Change:
        """Goes on with another plan: what did not change keeps its state, `actual` tells of services new to us."""
        change = diff(self._plan, plan)
        retired = self._plan.keys - plan.keys
        known = {name: self._known(service, plan) for name, service in plan.services.items()}
        before = self._decisions
        self._plan = plan
        self._services = {
            name: carried_over(old, service) if (old := known[name]) else _adopted(service, actual)
            for name, service in plan.services.items()
        }
        self._places = places(self._services, plan)
        self._decide_all()
        for name, record in self._services.items():
            if old := known[name]:
                self._tell_reload(record, before[old.config.name])
            else:
                _note_standing(record, self._decisions[name])
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

    def _tell_unknown(self, job: Job, outcome: Outcome) -> None:
        at, server = self._clock.wall(), str(job.server)
        self._bus.publish(
            events.CheckUnknown(at=at, service=job.service, server=server, check=job.check.name, outcome=outcome)
        )

    def _tell_reload(self, service: ServiceRecord, before: Decision) -> None:
        """A check that is no more can be what kept a server down, and a server that is no more the last one."""
        key, now = service.config.key, self._decisions[service.config.name].virtual
        commands = edits.diff(Table({key: now}), Table({key: before.virtual}))
        for server in service.servers.values():
            self._tell_server(service, server, commands)
        self._tell_standing(service)

    def _tell_server(
        self,
        service: ServiceRecord,
        server: ServerRecord,
        commands: Sequence[edits.Edit],
        check: str = "",
        outcomes: tuple[Outcome, ...] = (),
    ) -> None:
        """Tells of a server's new health, unless it is still open or the same as was told last."""
        old, new = server.told, server.health
        if new is old or new is Health.UNDECIDED:
            return
        server.told = new
        decision = self._decisions[service.config.name]
        self._bus.publish(
            _SERVER_EVENT[old, new](
                at=self._clock.wall(),
                service=service.config.name,
                server=str(server.config.endpoint),
                check=check,
                old=old.value,
                new=new.value,
                outcomes=outcomes,
                edits=tuple(str(edit) for edit in commands),
                available=decision.available,
                configured=len(service.servers),
            )
        )

    def _tell_standing(self, service: ServiceRecord) -> None:
        """Tells when a service has lost its last server or has one again, and of its fallback.

        While servers are undecided that is open, and what was told last stands: a fallback that bridges the time to
        the first verdicts is no news to anyone.
        """
        decision, config = self._decisions[service.config.name], service.config
        was_lost, stood_in = service.told_lost, service.told_fallback
        _note_standing(service, decision)
        happened: list[events.Event] = []
        at, name = self._clock.wall(), config.name
        if service.told_lost and not was_lost:
            consequence = _consequence(decision, service.told_fallback)
            happened.append(events.ServiceLost(at=at, service=name, consequence=consequence))
        if was_lost and not service.told_lost:
            happened.append(
                events.ServiceRecovered(
                    at=at, service=name, available=decision.available, configured=len(config.servers)
                )
            )
        if stood_in != service.told_fallback:
            if stood_in:
                happened.append(events.FallbackOut(at=at, service=name, fallback=stood_in))
            if service.told_fallback:
                happened.append(events.FallbackIn(at=at, service=name, fallback=service.told_fallback))
        for event in happened:
            self._bus.publish(event)


def _adopted(service: ServiceConfig, actual: Table) -> ServiceRecord:
    return adopted(service, actual.services.get(service.key, VirtualService()))


def _note_standing(service: ServiceRecord, decision: Decision) -> None:
    if decision.standing is not Standing.STARTING:
        fallback = service.config.fallback
        service.told_lost = decision.standing is Standing.LOST
        service.told_fallback = str(fallback.endpoint) if fallback and decision.fallback_active else ""


def _consequence(decision: Decision, fallback: str) -> str:
    if fallback:
        return f"fallback server {fallback} answers"
    if decision.fail_open:
        return 'all_down = "all": every server is back at its configured weight'
    return "nobody answers"
