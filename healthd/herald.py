"""Puts what has changed into events: a server's health, how its service stands, a check that cannot be carried out.

What was told last is kept in the records, so that nothing is told twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from checkers.base import Outcome
from healthd import edits, events
from healthd.clock import Clock
from healthd.events import Bus
from healthd.plan import Job
from healthd.policy import Decision, ServerState, Standing, weight_of
from healthd.state import Place, ServerRecord, ServiceRecord
from healthd.verdict import Health
from healthd.weights import Weighed

_SERVER_EVENT: Mapping[tuple[Health, Health], type[events.ServerEvent]] = {
    (Health.UNDECIDED, Health.UP): events.ServerAdmitted,
    (Health.UNDECIDED, Health.DOWN): events.ServerDown,
    (Health.UP, Health.DOWN): events.ServerDown,
    (Health.DOWN, Health.UP): events.ServerUp,
}


class Herald:
    def __init__(self, clock: Clock, bus: Bus) -> None:
        self._clock = clock
        self._bus = bus

    def unknown(self, job: Job, outcome: Outcome) -> None:
        at, server = self._clock.wall(), str(job.server)
        self._bus.publish(
            events.CheckUnknown(at=at, service=job.service, server=server, check=job.check.name, outcome=outcome)
        )

    def server(
        self,
        service: ServiceRecord,
        server: ServerRecord,
        decision: Decision,
        commands: Sequence[edits.Edit],
        check: str = "",
        outcomes: tuple[Outcome, ...] = (),
    ) -> None:
        """Tells of a server's new health, unless it is still open or the same as was told last."""
        old, new = server.told, server.health
        if new is old or new is Health.UNDECIDED:
            return
        server.told = new
        event = _SERVER_EVENT[old, new](
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
        # That a server was well from the start is remembered of it by `since` alone: there are thousands of them.
        server.event = None if isinstance(event, events.ServerAdmitted) else event
        self._bus.publish(event)

    def weighed(self, place: Place, before: ServerState, weighed: Weighed) -> None:
        """Tells of another weight of a server that was and is up, and of its being degraded or no more.

        `before` and `weighed` are what held until now, `place` is the check that asked for it. Such changes are damped,
        and so is what is told.
        """
        service, server, check = place
        if server.weighed[:2] == weighed[:2] or check.last is None:
            return
        state = server.state
        if state.held or not before.health is state.health is Health.UP:
            return
        old, new = weight_of(server.config, before), weight_of(server.config, state)
        if old == new and server.weighed.degraded is weighed.degraded:
            return
        self._bus.publish(
            events.WeightChanged(
                at=self._clock.wall(),
                service=service.config.name,
                server=str(server.config.endpoint),
                check=check.config.name,
                old_weight=old,
                new_weight=new,
                configured=server.config.destination.weight,
                degraded=server.weighed.degraded,
                outcome=check.last,
            )
        )

    def standing(self, service: ServiceRecord, decision: Decision) -> None:
        """Tells when a service has lost its last server or has one again, and of its fallback.

        While servers are undecided that is open, and what was told last stands: a fallback that bridges the time to
        the first verdicts is no news to anyone.
        """
        config = service.config
        was_lost, stood_in = service.told_lost, service.told_fallback
        note_standing(service, decision)
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


def note_standing(service: ServiceRecord, decision: Decision) -> None:
    """Takes down as told how the service stands, unless that is open."""
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
