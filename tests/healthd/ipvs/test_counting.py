from __future__ import annotations

import asyncio

import pytest

from healthd.ipvs import IpvsUnavailable
from healthd.ipvs.counting import counted
from healthd.ipvs.memory import MemoryIpvs
from healthd.model import Connections, Destination, Forward, Table, VirtualService
from tests.support.building import KEY, OTHER_KEY, A, B

TABLE = Table(
    {
        KEY: VirtualService(destinations={A: Destination(Forward.MASQ, 1), B: Destination(Forward.MASQ, 1)}),
        OTHER_KEY: VirtualService(destinations={A: Destination(Forward.MASQ, 1)}),
    }
)


async def test_connections_by_service_and_server() -> None:
    """Of the services that are asked for, by their labels, or of all."""
    ipvs = MemoryIpvs(TABLE)
    ipvs.connections[KEY, B] = Connections(1, 2, 3)
    of_one = {KEY.label: {A: Connections(), B: Connections(1, 2, 3)}}
    assert await counted(ipvs, frozenset({KEY})) == of_one
    assert await counted(ipvs) == of_one | {OTHER_KEY.label: {A: Connections()}}


async def test_others_have_their_turn_meanwhile() -> None:
    """After each service at the latest."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(turn())
    await counted(MemoryIpvs(TABLE))
    task.cancel()
    assert turns >= len(TABLE.services)


async def test_who_gives_up_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings are few, so one that is broken off is closed; that the table cannot be read is passed on."""
    closed = []

    def counts(_self: MemoryIpvs, _keys: object = None) -> object:
        try:
            yield None
            raise IpvsUnavailable("gone")
        finally:
            closed.append(True)

    monkeypatch.setattr(MemoryIpvs, "counts", counts)
    with pytest.raises(IpvsUnavailable, match="gone"):
        await counted(MemoryIpvs())
    task = asyncio.create_task(counted(MemoryIpvs()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert closed == [True, True]
