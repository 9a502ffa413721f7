"""Runs of `healthd check --once`, for their tests."""

from __future__ import annotations

from pathlib import Path

from healthd.clock import ManualClock
from healthd.config.values import Config, OnFailure, Settings
from healthd.ipvs.memory import MemoryIpvs
from healthd.model import Destination, Endpoint, Table, VirtualService
from healthd.once import Round, run_round
from tests.support.building import KEY, A, B, Script, Scripted, check, service


class Cron:
    """Runs of `healthd check --once`, a minute apart, over one table and one state folder."""

    def __init__(self, state_dir: Path, *, weights: dict[Endpoint, int] | None = None) -> None:
        self.clock = ManualClock()
        self.scripts = {A.address: Script("P"), B.address: Script("P")}
        self.on_failure = OnFailure.REMOVE
        self.fallback: Endpoint | None = None
        self.ipvs = MemoryIpvs()
        self.settings = Settings(state_dir=state_dir)
        if weights is not None:
            found = {endpoint: Destination(weight=weight) for endpoint, weight in weights.items()}
            self.ipvs = MemoryIpvs(Table({KEY: VirtualService(destinations=found)}))

    @property
    def config(self) -> Config:
        checked = service(
            A,
            B,
            checks=[check(checker=Scripted(scripts=self.scripts))],
            on_failure=self.on_failure,
            fallback=self.fallback,
        )
        return Config(settings=self.settings, services=(checked,))

    async def run(self, a: str = "P", b: str = "P", *, dry_run: bool = False) -> Round:
        self.scripts[A.address], self.scripts[B.address] = Script(a), Script(b)
        await self.clock.advance(60)
        return await run_round(self.config, self.ipvs, self.clock, dry_run=dry_run)

    @property
    def weights(self) -> dict[Endpoint, int]:
        destinations = self.ipvs.read().services[KEY].destinations
        return {endpoint: destination.weight for endpoint, destination in destinations.items()}
