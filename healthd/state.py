"""The controller's memory: per service, per server, per check. Mutable, and touched by the controller alone."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from checkers.base import Code, Outcome, Status
from healthd import policy
from healthd.config.values import CheckConfig, ServerConfig, ServiceConfig
from healthd.events import ServerEvent
from healthd.model import Endpoint, VirtualService
from healthd.overrides import Override
from healthd.plan import JobId, Plan
from healthd.policy import Decision, ServerState
from healthd.tally import WHOLE, Latency, Repeated, Tally
from healthd.verdict import SETTLED, Health, Transition, Verdict, step
from healthd.weights import AS_CONFIGURED, NOTHING, Damping, Weighed, Wish, asked, begun, damped


@dataclass(slots=True)
class CheckRecord:
    """`asks` is what the newest outcome that passed asks for; until there is one, the weight found.

    `last` came at the monotonic time `last_at`; `cause` is the newest of the outcomes that put it down.
    `count`, `fails`, `seconds` and `longest` add up outcomes since they were last taken. `unknowns` are all;
    `unknowns_in_a_row` leaves out those of a lost worker, which has an event of its own.
    """

    config: CheckConfig
    verdict: Verdict
    asks: Wish = NOTHING
    last: Outcome | None = None
    last_at: float = 0.0
    cause: Outcome | None = None
    unknowns: int = 0
    unknowns_in_a_row: int = 0
    count: int = 0
    fails: int = 0
    seconds: float = 0.0
    longest: float = 0.0

    def note(self, outcome: Outcome, now: float) -> None:
        """Takes down of an outcome what is so whatever follows from it."""
        self.last_at = now
        self.count += 1
        self.seconds += outcome.seconds
        self.longest = max(self.longest, outcome.seconds)

    def note_many(self, repeated: Repeated) -> None:
        """Likewise of several that came to nothing new; how long the longest took is not known."""
        count = repeated.count
        self.count += count
        self.fails += count if repeated.status is Status.FAIL else 0
        self.seconds += repeated.durations[WHOLE].seconds

    def goes_on(self, outcome: Outcome) -> bool:
        """Whether `outcome` is the one that nearly all are: it passed, as the one before, and nothing was open."""
        asks = self.asks
        return (
            outcome.status is Status.PASS
            and self.verdict.health is Health.UP
            and not self.verdict.recent
            and outcome.weight == asks.weight
            and outcome.factor == asks.factor
            and outcome.degraded is asks.degraded
            and (outcome.weight is None or self.config.checker.adds_up is asks.adds_up)
            and not self.unknowns_in_a_row
        )

    def take(self, outcome: Outcome) -> Transition | None:
        self.last = outcome
        self.fails += outcome.status is Status.FAIL
        unknown = outcome.status is Status.UNKNOWN
        self.unknowns += unknown
        if outcome.code != Code.WORKER:
            self.unknowns_in_a_row = self.unknowns_in_a_row + 1 if unknown else 0
        if outcome.status is Status.PASS:
            self.asks = Wish.of_outcome(outcome, self.config.checker)
        self.verdict, transition = step(self.verdict, outcome, fall=self.config.fall, rise=self.config.rise)
        if transition is not None:
            self.cause = outcome if self.verdict.health is Health.DOWN else None
        return transition


@dataclass(slots=True)
class ServerRecord:
    """`found`: it was in the table when the service came to be ours. `told` is the health last made known.

    `weighed` is what came of the wishes of its checks, which is not always what they ask for now.
    `since` is the wall-clock time at which the health last changed, `event` the newest that was told of the server.
    """

    config: ServerConfig
    found: bool
    checks: tuple[CheckRecord, ...]
    told: Health
    weighed: Weighed = AS_CONFIGURED
    override: Override | None = None
    since: float = 0.0
    transitions: int = 0
    event: ServerEvent | None = None

    def check(self, name: str) -> CheckRecord | None:
        """The one of that name; there are few, and thousands of servers have no room for a dictionary each."""
        return next((check for check in self.checks if check.config.name == name), None)

    @property
    def state(self) -> ServerState:
        return ServerState(self.health, found=self.found, wish=self.weighed.wish, override=self.override)

    def weigh(self, damping: Damping, now: float, *, was: Health = Health.DOWN) -> None:
        """Takes up what the checks ask for; as far and as soon as may be if it `was` up, and else in full."""
        configured = self.config.destination.weight
        wanted = asked([check.asks for check in self.checks], configured, damping)
        up = was is Health.UP
        self.weighed = damped(self.weighed, wanted, configured, damping, now) if up else begun(wanted, now)

    def begin_anew(self) -> None:
        """Forgets what the checks have found: the first outcome of each decides."""
        self.told = Health.UNDECIDED
        for check in self.checks:
            check.verdict, check.asks, check.cause = Verdict(), NOTHING, None
        self.weighed = AS_CONFIGURED

    @property
    def health(self) -> Health:
        """All checks must pass: one that is down decides, then one that is undecided."""
        found = Health.UP
        for check in self.checks:
            health = check.verdict.health
            if health is Health.DOWN:
                return health
            if health is Health.UNDECIDED:
                found = health
        return found


@dataclass(slots=True)
class ServiceRecord:
    """`told_lost` and `told_fallback` are what was last made known: whether it is lost, and who stands in."""

    config: ServiceConfig
    servers: dict[Endpoint, ServerRecord]
    told_lost: bool = False
    told_fallback: str = ""
    tally: Tally = field(default_factory=Tally)

    def decide(self) -> Decision:
        return policy.decide(self.config, {endpoint: server.state for endpoint, server in self.servers.items()})


def decided_again(
    service: ServiceRecord, before: Decision, changed: Sequence[tuple[ServerRecord, ServerState]]
) -> tuple[Decision, VirtualService, VirtualService]:
    """Decides on a service of which some servers have `changed`; what differs in the table is in the two services."""
    if len(changed) == 1:
        server, old = changed[0]
        new = policy.decide_one(service.config, before, server.config, old, server.state)
        if new is not None:
            endpoint = server.config.endpoint
            return new, before.virtual.only(endpoint), new.virtual.only(endpoint)
    whole = service.decide()
    return whole, before.virtual, whole.virtual


Place = tuple[ServiceRecord, ServerRecord, CheckRecord]
"""Where a job's outcomes are kept."""


def places(services: Mapping[str, ServiceRecord], plan: Plan) -> dict[JobId, Place]:
    """The place of every job of the plan."""
    found: dict[JobId, Place] = {}
    for job in plan.jobs.values():
        service = services[job.service]
        server = service.servers[job.server]
        (check,) = (check for check in server.checks if check.config.name == job.check.name)
        found[job.id] = (service, server, check)
    return found


def taken_latencies(services: Iterable[ServiceRecord]) -> Generator[Latency]:
    """What the checks took since this was last called; ones without an outcome are left out."""
    for service in services:
        for server in list(service.servers.values()):
            for check in server.checks:
                if check.count:
                    yield Latency(
                        service.config.name,
                        str(server.config.endpoint),
                        check.config.name,
                        check.count,
                        check.fails,
                        check.seconds,
                        check.longest,
                    )
                    check.count = check.fails = 0
                    check.seconds = check.longest = 0.0


def adopted(service: ServiceConfig, actual: VirtualService, at: float) -> ServiceRecord:
    """A service as it is found in the table `at`: a server with weight above 0 is up until its checks say otherwise.

    It keeps that weight until they have passed: nobody gets more traffic unchecked than there was.
    """
    servers: dict[Endpoint, ServerRecord] = {}
    for server in service.servers:
        found = actual.destinations.get(server.endpoint)
        weight = found.weight if found is not None else 0
        health = Health.UP if weight > 0 else Health.UNDECIDED
        wish = weight if weight not in (0, server.destination.weight) else None
        asks = NOTHING if wish is None else Wish(wish)
        checks = tuple(CheckRecord(check, SETTLED[health], asks) for check in service.checks)
        weighed = AS_CONFIGURED if wish is None else Weighed(wish)
        servers[server.endpoint] = ServerRecord(server, found is not None, checks, health, weighed, since=at)
    return ServiceRecord(service, servers)


def carried_over(old: ServiceRecord, new: ServiceConfig, at: float) -> ServiceRecord:
    """The record of a service whose configuration changed `at`.

    A check that did not change keeps its state; one that did goes on from the health that it had found. One that is
    new, or was never carried out, starts from the server's health, and its cause. None comes up or goes down without an
    outcome.
    A server that is new is undecided and not in the table.
    """
    servers: dict[Endpoint, ServerRecord] = {}
    for server in new.servers:
        known = old.servers.get(server.endpoint)
        if known is None:
            checks = tuple(CheckRecord(check, SETTLED[Health.UNDECIDED]) for check in new.checks)
            servers[server.endpoint] = ServerRecord(server, found=False, checks=checks, told=Health.UNDECIDED, since=at)
        else:
            checks = tuple(_carried_check(known, check) for check in new.checks)
            carried = servers[server.endpoint] = replace(known, config=server, checks=checks)
            carried.weigh(new.damping, known.weighed.at)
    return ServiceRecord(new, servers, old.told_lost, old.told_fallback, old.tally)


def _carried_check(server: ServerRecord, check: CheckConfig) -> CheckRecord:
    known = server.check(check.name)
    if known is None or not (known.last or known.cause):  # a cause may be that of an earlier run
        cause = next((each.cause for each in server.checks if each.verdict.health is Health.DOWN), None)
        return CheckRecord(check, Verdict(server.health), known.asks if known else NOTHING, cause=cause)
    if known.config == check:
        return known
    return replace(known, config=check, verdict=Verdict(known.verdict.health), unknowns_in_a_row=0)
