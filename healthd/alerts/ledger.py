"""What is wrong, and what of that the receivers of one alert know. Pure: it is fed with events and points in time.

Rules:

1. A failure is told once, until it is over; with `repeat` again as long as it lasts.
2. The end of a failure is told to those who were told of the failure: who has not had that message is not puzzled by
   this one. Whoever takes only the ends (`events` without the failures) gets all of them.
3. A server that fails for the third time within ten minutes is flapping: that is told once, and again when it has kept
   one state for ten minutes.
4. While a server is in maintenance nothing is told of it. What its checks find afterwards is.
5. A restart of healthd ends no failure that was told: the first good verdict does.

Points in time are monotonic seconds, except in `since` and in what is remembered over a restart: wall clock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from healthd.alerts.batch import Subject, subject
from healthd.alerts.endings import MAINTENANCE, closes, ended_by, evidence, opens
from healthd.alerts.notices import Steady, SteadyDown, Withdrawn
from healthd.alerts.problem import CALM_SECONDS, FLAPS, Problem, recent, start_flapping
from healthd.alerts.wanted import wants
from healthd.config.values import AlertConfig
from healthd.events import Event, ServerEvent


class Ledger:
    def __init__(self, config: AlertConfig) -> None:
        self.config = config
        self.problems: dict[Subject, Problem] = {}
        self.quiet: set[tuple[str, str]] = set()
        """Service and server of each server in maintenance."""

    @property
    def open(self) -> int:
        return sum(problem.failure is not None for problem in self.problems.values())

    @property
    def told(self) -> tuple[tuple[float, Event], ...]:
        """The failures that the receivers know of, each with when it began."""
        every = self.problems.values()
        return tuple((each.since, each.failure) for each in every if each.told and each.failure is not None)

    def since(self, events: Iterable[Event]) -> dict[Subject, float]:
        subjects = {subject(event) for event in events}
        return {about: self.problems[about].since for about in subjects if about in self.problems}

    def reconfigure(self, config: AlertConfig, now: float) -> None:
        self.config = config
        for problem in self.problems.values():
            problem.remind_at = self._next_reminder(now) if problem.told else None

    def restore(self, told: Iterable[Problem], quiet: Iterable[tuple[str, str]], now: float) -> None:
        """Takes up what receivers were told in an earlier life of healthd."""
        self.quiet |= set(quiet)
        for problem in told:
            if problem.failure is not None:
                problem.remind_at = self._next_reminder(now)
                self.problems[subject(problem.failure)] = problem

    def resume(self, events: Iterable[Event], since: Mapping[Subject, float]) -> None:
        """Takes up a message of an earlier life that is still under way."""
        for event in events:
            about = subject(event)
            if opens(event):
                problem = self.problems.setdefault(about, Problem(since.get(about, event.at)))
                problem.failure = event
                problem.offered += 1
            elif closes(event) and about in self.problems:
                self.problems[about].failure = None

    def take(self, event: Event, now: float) -> Sequence[Event]:
        """What is to be told because of `event`, now."""
        if event.kind in MAINTENANCE:
            return self._maintenance(event)
        if opens(event):
            return self._fail(event, now)
        if closes(event):
            return self._end(event, now)
        over = [end for end in ended_by(event, self.problems) if self.problems[subject(end)].failure is not None]
        told = [each for end in over for each in self._end(end, now)]
        return told or ((event,) if wants(self.config, event) else ())

    def _fail(self, event: Event, now: float) -> Sequence[Event]:
        if self._is_quiet(event) or not wants(self.config, event):
            return ()
        problem = self.problems.setdefault(subject(event), Problem(event.at))
        known = problem.failure is not None and (problem.told or problem.offered > 0) and event.kind != "table_error"
        if problem.failure is None:
            problem.since = event.at if not problem.flapping else problem.since
            problem.failures = (*recent(problem.failures, now), now)
        problem.failure, problem.changed = event, event.at
        if problem.flapping:
            problem.calm_at = now + CALM_SECONDS
        if known or problem.flapping:
            return ()
        if isinstance(event, ServerEvent) and len(problem.failures) >= FLAPS:
            return self._offer(start_flapping(problem, event, now))
        return self._offer(event)

    def _end(self, event: Event, now: float) -> Sequence[Event]:
        if self._is_quiet(event):
            return ()
        problem = self.problems.get(subject(event))
        wanted = wants(self.config, event)
        if problem is None or problem.failure is None:
            alone = not any(kind in self.config.events for kind in closes(event))
            return (event,) if wanted and alone else ()
        problem.failure, problem.changed = None, event.at
        if problem.flapping:
            problem.calm_at = now + CALM_SECONDS
            return ()
        if not wanted:
            problem.told = False
        return (event,) if wanted and (problem.told or problem.offered) else ()

    def _maintenance(self, event: Event) -> Sequence[Event]:
        """Afterwards its checks decide about a server from the beginning, so what they find meanwhile is no matter."""
        pair = (event.service, str(getattr(event, "server", "")))
        about = ("server", *pair)
        told: tuple[Event, ...] = (event,) if wants(self.config, event) else ()
        if event.kind == MAINTENANCE[1]:
            self.quiet.discard(pair)
            return told
        self.quiet.add(pair)
        flapping = about in self.problems and self.problems[about].flapping
        return (*told, *self._steady(about, event.at)) if flapping else told

    def _is_quiet(self, event: Event) -> bool:
        return (event.service, getattr(event, "server", "")) in self.quiet

    def _offer(self, event: Event) -> Sequence[Event]:
        self.problems[subject(event)].offered += 1
        return (event,)

    def due(self, now: float) -> tuple[Sequence[Event], Sequence[Event]]:
        """What is to be told because time has passed: as news, and as reminders. Forgets what is over and told."""
        news: list[Event] = []
        reminders: list[Event] = []
        for about, problem in list(self.problems.items()):
            if problem.flapping and problem.calm_at <= now:
                news += self._steady(about, problem.changed + CALM_SECONDS)
            elif problem.remind_at is not None and problem.remind_at <= now and problem.failure is not None:
                silent = problem.flapping or self._is_quiet(problem.failure)
                problem.remind_at = self._next_reminder(now)
                reminders += () if silent else self._offer(problem.failure)
            elif problem.failure is None and not (problem.told or problem.offered or problem.flapping):
                problem.failures = recent(problem.failures, now)
                if not problem.failures:
                    del self.problems[about]
        return news, reminders

    def _steady(self, about: Subject, at: float) -> Sequence[Event]:
        problem = self.problems[about]
        problem.flapping, problem.failures = False, ()
        service, server = about[1:]
        if problem.failure is not None:
            problem.since = problem.failure.at
            down = SteadyDown(at=at, service=service, server=server, evidence=evidence(problem.failure))
            return self._offer(down)
        return (Steady(at=at, service=service, server=server),) if problem.told or problem.offered else ()

    def admit(self, events: Iterable[Event]) -> tuple[Event, ...]:
        """Of a message that is about to be sent, the events whose readers know what they are about (rule 2)."""
        told: dict[Subject, bool] = {}
        return tuple(event for event in events if self._is_known(event, told))

    def _is_known(self, event: Event, told: dict[Subject, bool]) -> bool:
        about = subject(event)
        if opens(event):
            told[about] = True
        elif starts := closes(event):
            problem = self.problems.get(about)
            known = told.get(about, problem is not None and problem.told)
            told[about] = False
            return known or not any(kind in self.config.events for kind in starts)
        return True

    def delivered(self, events: Iterable[Event], now: float) -> None:
        for event, problem in self._mine(events):
            if opens(event):
                problem.told, problem.offered = True, max(0, problem.offered - 1)
                problem.remind_at = self._next_reminder(now)
            else:
                problem.told, problem.remind_at = False, None

    def given_up(self, events: Iterable[Event], now: float) -> None:
        """`events` will never arrive. What still fails is told when its reminder is due."""
        for event, problem in self._mine(events):
            if opens(event):
                problem.offered = max(0, problem.offered - 1)
                problem.remind_at = self._next_reminder(now)

    def _next_reminder(self, now: float) -> float | None:
        return now + self.config.repeat if self.config.repeat else None

    def _mine(self, events: Iterable[Event]) -> Iterator[tuple[Event, Problem]]:
        for event in events:
            problem = self.problems.get(subject(event))
            if problem is not None and (opens(event) or closes(event)):
                yield event, problem

    def retire(self, servers: Mapping[str, Collection[str]], at: float) -> Sequence[Event]:
        """Ends what is about services and servers that are not in `servers`; what was told is told to be over."""
        gone = [about for about in self.problems if about[1] and not _configured(about, servers)]
        told = []
        for about in gone:
            problem = self.problems.pop(about)
            if problem.told or problem.offered:
                self.problems[about] = dataclasses.replace(problem, failure=None, flapping=False, offered=0)
                told.append(Withdrawn(at=at, service=about[1], about=about))
        self.quiet = {(service, server) for service, server in self.quiet if server in servers.get(service, ())}
        return told


def _configured(about: Subject, servers: Mapping[str, Collection[str]]) -> bool:
    kind, service, *rest = about
    return service in servers and (kind != "server" or rest[0] in servers[service])
