"""What is known at one moment: the newest status, times of checks since the program began, and whether all is old."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from healthd.cli.answers import Server, Status

KEPT = 120
"""Times that are kept of each server."""

Key = tuple[str, str]
"""A service and a server of it, by name."""

Sample = tuple[float, float | None]
"""When a check ended, and the seconds that it took; None if it failed."""


def key_of(server: Server) -> Key:
    return (server.service, server.name)


@dataclass(frozen=True, slots=True)
class Frame:
    """`gone` is a sentence while the daemon does not answer; `status` is then the last that it gave."""

    status: Status
    samples: Mapping[Key, Sequence[Sample]] = field(default_factory=dict)
    gone: str = ""
    past: Sequence[float | None] = ()
    past_of: Key | None = None


class Samples:
    """Grows by what is new in each status; who is gone from that is forgotten."""

    def __init__(self) -> None:
        self.kept: dict[Key, deque[Sample]] = {}

    def take(self, status: Status) -> None:
        kept: dict[Key, deque[Sample]] = {}
        for server in status.servers:
            key = key_of(server)
            kept[key] = self.kept.get(key) or deque(maxlen=KEPT)
            if (sample := _sample(server, status.at)) is not None:
                before = kept[key][-1][0] if kept[key] else 0.0
                # The age is rounded, so the same outcome may seem to have come a little later.
                if sample[0] - before > 0.01:
                    kept[key].append(sample)
        self.kept = kept

    def frozen(self) -> Mapping[Key, Sequence[Sample]]:
        return {key: tuple(samples) for key, samples in self.kept.items()}


def _sample(server: Server, at: float) -> Sample | None:
    check = server.deciding
    if check is None or check.last is None or check.age is None:
        return None
    return at - check.age, check.last.seconds if check.last.status == "pass" else None
