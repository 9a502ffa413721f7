"""Reads how many connections every server in the table has, without holding anybody up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import closing

from healthd.ipvs import Ipvs
from healthd.model import Connections, Counts, Endpoint, ServiceKey


async def counted(ipvs: Ipvs, keys: frozenset[ServiceKey] | None = None) -> Counts:
    """The counts of all services, or of these; others have their turn after every service and every pause of `counts`.

    Raises:
        IpvsUnavailable: as `Ipvs.counts` does.

    """
    found: dict[str, Mapping[Endpoint, Connections]] = {}
    with closing(ipvs.counts(keys)) as services:
        for each in services:
            if each is not None:
                found[each[0].label] = each[1]
            await asyncio.sleep(0)
    return found
