"""Where the play is seen: tells every event as it happens, and waits for the ones that must come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping

from healthd import events
from healthd.clock import Clock, Deadline, sleep_until
from healthd.events import Event
from healthd.ipvs import Ipvs
from healthd.model import Destination, Endpoint, ServiceKey, VirtualService

PATIENCE = 45.0
"""Seconds that anything expected may take on a busy machine; elsewhere it takes two where nothing is wrong."""

Say = Callable[[str, str], None]
"""Prints a text in a style."""

STYLES: Mapping[type[Event], str] = {
    events.ServerDown: "bold red",
    events.ServiceLost: "bold red",
    events.FallbackIn: "bold red",
    events.TableError: "bold red",
    events.ServerUp: "green",
    events.ServerAdmitted: "green",
    events.ServiceRecovered: "green",
    events.FallbackOut: "green",
}


class NotAsExpected(Exception):  # noqa: N818 - named for what happened
    """What had to happen did not; the message says what."""


class Stage:
    def __init__(self, bus: events.Bus, ipvs: Ipvs, clock: Clock, say: Say) -> None:
        self._subscription = bus.subscribe()
        self._ipvs = ipvs
        self._clock = clock
        self._say = say
        self._began = clock.monotonic()
        self._seen: list[Event] = []
        self._news = asyncio.Event()

    async def watch(self) -> None:
        """Tells events until it is cancelled."""
        while True:
            self._tell(await self._subscription.get())

    def _tell(self, event: Event) -> None:
        self._seen.append(event)
        self._news.set()
        head, *rest = _lines(event)
        self._say(f"{self._clock.monotonic() - self._began:6.1f} s  {head}", STYLES.get(type(event), ""))
        for line in rest:
            self._say(f"{'':10}{line}", "")

    def announce(self, text: str) -> None:
        """A new act: what is waited for from now on has to happen from now on."""
        self._seen.clear()
        self._say(f"\n>> {text}", "bold")

    async def pause(self, seconds: float) -> None:
        """For the reader's sake alone: nothing depends on its length."""
        await sleep_until(self._clock, self._clock.monotonic() + seconds)

    async def events(self, kind: type[Event], *servers: str) -> None:
        """Returns when an event of `kind` has happened in this act: once, or once for each of `servers`."""

        def happened() -> bool:
            found = {getattr(event, "server", "") for event in self._seen if type(event) is kind}
            return found >= set(servers) if servers else bool(found)

        about = f" of {', '.join(servers)}" if servers else ""
        await self._until(happened, f"the event {kind.kind}{about}")

    async def weights(self, expected: Mapping[str, int]) -> None:
        """Returns when the table holds exactly these real servers, each with its weight."""
        await self._until(lambda: self._weights() == expected, f"the weights {dict(expected)} in the table")

    def _weights(self) -> dict[str, int]:
        services = self._ipvs.read().services.values()
        return {str(end): one.weight for service in services for end, one in service.destinations.items()}

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        try:
            async with Deadline(self._clock, PATIENCE):
                while not holds():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise NotAsExpected(f"waited {PATIENCE:g} s in vain for {what}; the table has {self._weights()}") from None

    def show_table(self) -> None:
        """The table, after every edit that led to it has been told."""
        while (event := self._subscription.get_nowait()) is not None:
            self._tell(event)
        self._say("\n" + "\n".join(as_listed(self._ipvs.read().services)), "")


def _lines(event: Event) -> Iterator[str]:
    match event:
        case events.ServerDown() | events.ServerUp() | events.ServerAdmitted():
            yield f"server {event.server} {event.old} -> {event.new}; {event.available} of {event.configured} available"
            count = len(event.outcomes)
            evidence = "; ".join(dict.fromkeys(map(str, event.outcomes)))
            yield f"  after {count} outcome{'s' if count > 1 else ''}: {evidence}"
        case events.TableEdited():
            yield "table edited:"
            yield from (f"  {edit}" for edit in event.edits)
        case _:
            yield event.text()


def as_listed(services: Mapping[ServiceKey, VirtualService]) -> Iterator[str]:
    """The table as `ipvsadm -Ln` lists it, without the counts of connections, which only a kernel has."""
    yield "Prot LocalAddress:Port Scheduler Flags"
    yield "  -> RemoteAddress:Port           Forward Weight"
    for key, service in sorted(services.items()):
        yield f"{(key.protocol or 'fwm').upper():4} {Endpoint(key.address, key.port)} {service.options.scheduler}"
        for endpoint, destination in sorted(service.destinations.items()):
            yield f"  -> {endpoint!s:28} {_forward(destination):7} {destination.weight}"


def _forward(destination: Destination) -> str:
    return {"masq": "Masq", "gate": "Route", "ipip": "Tunnel"}[destination.forward]
