"""The one owner of mutable state: the verdict of every check, and the desired table that follows from them.

Outcomes go in by `record`; what comes out are events, the newest desired table, and frozen snapshots. Nothing here
waits: each call leaves everything consistent before it returns, so there are no locks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from checkers.base import Outcome, Status
from healthd import edits, events
from healthd.clock import Clock
from healthd.config.values import ServiceConfig
from healthd.events import Bus
from healthd.model import ServiceKey, Table, VirtualService
from healthd.plan import Change, Job, JobId, Plan, diff
from healthd.policy import Decision, Standing
from healthd.snapshot import Snapshot
from healthd.state import CheckRecord, ServiceRecord, adopted, carried_over, service_view
from healthd.verdict import Health, Transition, Verdict, step

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
        return {job.id: self._check(job).verdict for job in self._plan.jobs.values()}

    def start(self, actual: Table, remembered: Mapping[JobId, Verdict] | None = None) -> None:
        """Takes over what is in the table. `remembered` verdicts, of an earlier run, are believed before the table."""
        for name, service in self._plan.services.items():
            self._services[name] = adopted(service, actual.services.get(service.key, VirtualService()))
        for job_id, verdict in (remembered or {}).items():
            if job_id in self._plan.jobs:
                self._check(self._plan.jobs[job_id]).verdict = verdict
        for service in self._services.values():
            for server in service.servers.values():
                server.told = server.health
        self._decide_all()
        self._publish_table(frozenset())

    def record(self, job: Job, outcome: Outcome) -> bool:
        """Takes in an outcome. True when the check is settled, False when it is worth repeating soon."""
        service = self._services[job.service]
        server = service.servers[job.server]
        check = server.checks[job.check.name]
        before = (server.health, server.wish)
        check.last = outcome
        self._count_unknown(job, check, outcome)
        check.verdict, transition = step(check.verdict, outcome, fall=check.config.fall, rise=check.config.rise)
        if (server.health, server.wish) != before:
            old = self._decisions[job.service]
            self._decisions[job.service] = service.decide()
            if transition is not None:
                self._tell_server(service, job, transition, old)
            self._tell_standing(service.config, old, self._decisions[job.service])
            self._publish_table(frozenset())
        return check.verdict.settled

    def replace(self, plan: Plan, actual: Table) -> Change:
        """Goes on with another plan: what did not change keeps its state, `actual` tells of services new to us."""
        change = diff(self._plan, plan)
        retired = self._plan.keys - plan.keys
        self._services = {
            name: carried_over(self._services[name], service)
            if name in self._services
            else adopted(service, actual.services.get(service.key, VirtualService()))
            for name, service in plan.services.items()
        }
        self._plan = plan
        self._decide_all()
        self._publish_table(retired)
        return change

    def _check(self, job: Job) -> CheckRecord:
        return self._services[job.service].servers[job.server].checks[job.check.name]

    def _decide_all(self) -> None:
        self._decisions = {name: record.decide() for name, record in self._services.items()}

    def _publish_table(self, retired: frozenset[ServiceKey]) -> None:
        self._desired = Table(
            {record.config.key: self._decisions[name].virtual for name, record in self._services.items()}
        )
        self._submit(self._desired, retired)

    def _count_unknown(self, job: Job, check: CheckRecord, outcome: Outcome) -> None:
        if outcome.status is not Status.UNKNOWN:
            check.unknowns_in_a_row = 0
            return
        check.unknowns += 1
        check.unknowns_in_a_row += 1
        if check.unknowns_in_a_row == 1:
            self._bus.publish(
                events.CheckUnknown(
                    at=self._clock.wall(),
                    service=job.service,
                    server=str(job.server),
                    check=job.check.name,
                    outcome=outcome,
                )
            )

    def _tell_server(self, service: ServiceRecord, job: Job, transition: Transition, before: Decision) -> None:
        """Tells of a server's new health, unless it is still open or the same as was told last."""
        server = service.servers[job.server]
        old, new = server.told, server.health
        if new is old or new is Health.UNDECIDED:
            return
        server.told = new
        decision = self._decisions[job.service]
        key = service.config.key
        commands = edits.diff(Table({key: decision.virtual}), Table({key: before.virtual}))
        self._bus.publish(
            _SERVER_EVENT[old, new](
                at=self._clock.wall(),
                service=job.service,
                server=str(job.server),
                check=job.check.name,
                old=old.value,
                new=new.value,
                outcomes=transition.outcomes,
                edits=tuple(str(edit) for edit in commands),
                available=decision.available,
                configured=len(service.servers),
            )
        )

    def _tell_standing(self, service: ServiceConfig, before: Decision, after: Decision) -> None:
        """Tells when a service has lost its last server or has one again, and of its fallback.

        While a service is starting its fallback may bridge the time to the first verdicts: that is no news to anyone.
        """
        lost_before, lost_after = before.standing is Standing.LOST, after.standing is Standing.LOST
        if lost_before == lost_after:
            return
        at, name = self._clock.wall(), service.name
        fallback = str(service.fallback.endpoint) if service.fallback else ""
        if lost_after:
            self._bus.publish(events.ServiceLost(at=at, service=name, consequence=_consequence(after, fallback)))
            if fallback:
                self._bus.publish(events.FallbackIn(at=at, service=name, fallback=fallback))
            return
        self._bus.publish(
            events.ServiceRecovered(at=at, service=name, available=after.available, configured=len(service.servers))
        )
        if fallback:
            self._bus.publish(events.FallbackOut(at=at, service=name, fallback=fallback))


def _consequence(decision: Decision, fallback: str) -> str:
    if fallback:
        return f"fallback server {fallback} answers"
    if decision.fail_open:
        return 'all_down = "all": every server is back at its configured weight'
    return "nobody answers"
