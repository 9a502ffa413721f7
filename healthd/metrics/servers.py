"""The families of services and real servers, from a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from checkers.base import Status
from healthd.metrics.text import Family, Sample, histogram, labelled
from healthd.model import Counts, Endpoint
from healthd.policy import Standing
from healthd.snapshot import STATES, ServerView, ServiceView, Snapshot
from healthd.tally import BOUNDS
from healthd.verdict import Health

Transitions = Mapping[tuple[str, str], Mapping[tuple[str, str], int]]
"""For each service and server how often it came to a health, and by which code."""


def of_services(snapshot: Snapshot) -> Iterator[Family]:
    def gauge(name: str, text: str, value: Callable[[ServiceView], float]) -> Family:
        samples = ((labelled({"service": service.name}), float(value(service))) for service in snapshot.services)
        return Family(f"healthd_service_{name}", "gauge", text, samples)

    yield gauge("servers", "Configured real servers.", lambda service: len(service.servers))
    yield gauge("available", "Real servers that are up with a weight above 0.", lambda service: service.available)
    yield gauge("min_available", "Servers that operators may not go below.", lambda service: service.min_available)
    yield gauge("healthy_ratio", "Available share of the configured real servers, from 0 to 1.", _ratio)
    yield gauge("lost", "1 while no real server is available.", lambda service: service.standing is Standing.LOST)
    yield gauge("fallback_active", "1 while the fallback server answers.", lambda service: service.fallback_active)
    panic = "1 while all servers are in the table because all are down."
    yield gauge("panic", panic, lambda service: service.fail_open)
    yield Family("healthd_probe_results_total", "counter", "Outcomes of checks.", _outcomes(snapshot))
    yield Family(
        "healthd_probe_duration_seconds", "histogram", "How long checks and their phases took.", _durations(snapshot)
    )


def _ratio(service: ServiceView) -> float:
    return service.available / len(service.servers) if service.servers else 0.0


def _outcomes(snapshot: Snapshot) -> Iterator[Sample]:
    for service in snapshot.services:
        for (check, status, code), count in (service.tally.outcomes if service.tally else {}).items():
            labels = {"service": service.name, "check": check, "status": status.value, "code": code}
            yield labelled(labels), count


def _durations(snapshot: Snapshot) -> Iterator[Sample]:
    for service in snapshot.services:
        durations = service.tally.durations if service.tally else {}
        for part, (counts, seconds) in durations.items():
            yield from histogram({"service": service.name, "phase": part}, BOUNDS, counts, seconds)


def of_servers(snapshot: Snapshot, counts: Counts, transitions: Transitions) -> Iterator[Family]:
    """Each family with all servers, as the form demands. `transitions` are those of each service and server."""
    servers = _Servers(snapshot)

    def family(name: str, kind: str, text: str, value: Callable[[ServerView], float | None]) -> Family:
        return Family(f"healthd_realserver_{name}", kind, text, servers.values(value))

    yield family("up", "gauge", "1 if its checks pass, 0 if not or not yet known.", _is_up)
    yield Family("healthd_realserver_state", "gauge", "1 for the state it is in, 0 for all others.", servers.states())
    yield Family("healthd_probe_success", "gauge", "1 if its last checks passed.", servers.values(_passes))
    yield family("health_counter", "gauge", "Outcomes that speak against its state so far.", _against)
    yield family("degraded", "gauge", "1 if it passes, but not as it should.", _is_degraded)
    yield family("weight", "gauge", "Weight it is to have in the table; none while it is not to be in it.", _weight)
    yield family("configured_weight", "gauge", "Weight it has while it is well.", _configured_weight)
    text = "Changes of its health, with what it came to and why."
    yield Family("healthd_realserver_transitions_total", "counter", text, servers.transitions(transitions))
    yield family("last_check_seconds", "gauge", "How long its slowest check took last.", _last_check)
    text = "When the server's certificate ends, as a check that looks at it has seen."
    yield Family("healthd_tls_cert_not_after_timestamp_seconds", "gauge", text, servers.values(_certificate_ends))
    if counts:
        text = "Connections the kernel counts."
        yield Family("healthd_realserver_connections", "gauge", text, servers.connections(counts))


_STATES = tuple((state, f',state="{state}"}}') for state in STATES)


class _Servers:
    """All servers with their labels, which are made once, by whichever family comes first."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._labels: list[str] = []

    def _each(self) -> Iterator[tuple[str, ServiceView, ServerView]]:
        """The labels lack their closing brace, for a family that has more."""
        number = 0
        for service in self._snapshot.services:
            for server in service.servers:
                if number == len(self._labels):
                    self._labels.append(labelled({"service": service.name, "server": server.name})[:-1])
                yield self._labels[number], service, server
                number += 1

    def values(self, value: Callable[[ServerView], float | None]) -> Iterator[Sample]:
        """A sample for each server that has this value."""
        for labels, _, server in self._each():
            found = value(server)
            if found is not None:
                yield labels + "}", found

    def states(self) -> Iterator[Sample]:
        for labels, _, server in self._each():
            now = server.state
            for state, label in _STATES:
                yield labels + label, int(state == now)

    def transitions(self, transitions: Transitions) -> Iterator[Sample]:
        known = {
            labelled({"service": service, "server": server})[:-1]: counts
            for (service, server), counts in transitions.items()
        }
        for labels, _, _ in self._each():
            for (to, cause), count in known.get(labels, {}).items():
                yield f"{labels},{labelled({'to': to, 'cause': cause})[1:]}", count

    def connections(self, counts: Counts) -> Iterator[Sample]:
        for labels, service, server in self._each():
            found = counts.get(service.virtual, {}).get(Endpoint(server.address, server.port))
            if found is not None:
                yield labels + ',kind="active"}', found.active
                yield labels + ',kind="inactive"}', found.inactive
                yield labels + ',kind="persistent"}', found.persistent


def _is_up(server: ServerView) -> float:
    return int(server.health is Health.UP)


def _is_degraded(server: ServerView) -> float:
    return int(server.degraded)


def _weight(server: ServerView) -> float | None:
    return server.weight


def _configured_weight(server: ServerView) -> float:
    return server.configured_weight


def _passes(server: ServerView) -> float | None:
    lasts = [check.last.status is Status.PASS for check in server.checks if check.last]
    return int(all(lasts)) if lasts else None


def _against(server: ServerView) -> float:
    return max([int(check.progress.partition("/")[0]) for check in server.checks if check.progress], default=0)


def _certificate_ends(server: ServerView) -> float | None:
    ends = [check.last.expires for check in server.checks if check.last and check.last.expires is not None]
    return min(ends, default=None)


def _last_check(server: ServerView) -> float | None:
    return max([round(check.last.seconds, 6) for check in server.checks if check.last], default=None)
