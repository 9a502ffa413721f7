"""The rooms that a daemon may be without, in the form in which the control interface shows them."""

from __future__ import annotations

from healthd.alerts.router import Router
from healthd.alerts.view import ChannelView, Trying
from healthd.control.sources import Record, Unanswered, Wanted
from healthd.history.reader import EventQuery, LatencyQuery
from healthd.history.reader import Unanswered as NotAnswered
from healthd.history.store import DAY, HOUR, MINUTE
from healthd.history.writer import History

_STEPS = {"minute": MINUTE, "hour": HOUR, "day": DAY}


class ShownAlerts:
    def __init__(self, router: Router) -> None:
        self._router = router

    def views(self) -> list[Record]:
        return [_channel(view) for view in self._router.view]

    async def test(self, name: str | None) -> list[tuple[str, bool]]:
        """What came of a test message in words, and whether it arrived, for each alert.

        Raises:
            KeyError: there is none of this name.

        """
        return [(_tried(each), each.arrived) for each in await self._router.test(name)]


def _tried(each: Trying) -> str:
    answer = f": {each.answer}" if each.answer else ""
    return f"{each.alert}: {'arrived' if each.arrived else 'did not arrive'}{answer}"


def _channel(view: ChannelView) -> Record:
    return {
        "name": view.name,
        "kind": view.kind,
        "queued": view.queue,
        "sent": view.sent,
        "failed": view.failed,
        "held_back": view.held_back,
        "last_error": view.last_error,
        "last_success": view.last_success_at,
    }


class ShownHistory:
    def __init__(self, history: History) -> None:
        self._history = history

    @property
    def error(self) -> str:
        return self._history.view.error

    async def events(self, wanted: Wanted) -> tuple[list[Record], int | None]:
        """Of several kinds each is looked up, and the newest of all are what was wanted."""
        found: list[Record] = []
        for kind in wanted.kinds or ("",):
            query = EventQuery(
                service="" if wanted.service == "*" else wanted.service,
                server="" if wanted.server == "*" else wanted.server,
                kind=kind,
                since=wanted.since,
                until=wanted.until,
                before=wanted.before,
                limit=wanted.limit,
            )
            try:
                found += await self._history.events(query)
            except NotAnswered as error:
                raise Unanswered(str(error)) from error
        newest = sorted(found, key=lambda record: int(record["id"]), reverse=True)[: wanted.limit]
        return newest, int(newest[-1]["id"]) if len(newest) == wanted.limit else None

    async def latency(self, service: str, server: str, since: float, until: float, step: str) -> list[Record]:
        query = LatencyQuery(service=service, server=server, since=since, until=until, step=_STEPS[step])
        try:
            points = await self._history.latencies(query)
        except NotAnswered as error:
            raise Unanswered(str(error)) from error
        return [
            {"at": each.at, "count": each.outcomes, "mean": each.mean, "max": each.longest, "fails": each.fails}
            for each in points
        ]
