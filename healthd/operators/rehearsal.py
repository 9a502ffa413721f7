"""What a configuration on the disk would do, worked out beside the running daemon: `healthd plan`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from healthd import plan
from healthd.config import ConfigError
from healthd.config.apart import load_apart
from healthd.controller import Controller
from healthd.ipvs import Ipvs, IpvsUnavailable
from healthd.model import Table
from healthd.operators.preview import Preview, preview
from healthd.plan import Plan
from healthd.reconcile import Reconciler


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`path` is the configuration in use, `current` the plan that was made of it."""

    path: Path
    current: Callable[[], Plan]
    controller: Controller
    reconciler: Reconciler
    ipvs: Ipvs

    async def of(self, path: Path | None) -> Preview:
        """What the configuration at `path` would do, or the one in use as it now is on the disk."""
        try:
            config = await asyncio.to_thread(load_apart, path or self.path)
            new = await asyncio.to_thread(plan.make, config)
            actual = self._actual(new)
        except ConfigError as error:
            return Preview(errors=error.messages)
        except IpvsUnavailable as error:
            return Preview(errors=(str(error),))
        # In a thread, as it takes a while with thousands of servers. It only reads, and what it goes through keeps its
        # size: a reload puts other records in its place.
        services = dict(self.controller.services)
        return await asyncio.to_thread(preview, self.current(), new, services, actual, config.warnings)

    def _actual(self, new: Plan) -> Table:
        """The table as the reconciler knows it, and what is in it of services that are new."""
        known = self.reconciler.actual
        if known is None:
            return self.ipvs.read(new.keys | self.current().keys)
        return Table({**known.services, **self.ipvs.read(new.keys - known.services.keys()).services})
