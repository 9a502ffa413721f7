"""Hooks: a program is run for every message, with the events as JSON on its standard input.

The environment describes the most important subject of the message, so that a short script needs no JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from checkers import process
from checkers.base import show
from healthd.alerts.batch import Batch
from healthd.alerts.sink import NotSentError
from healthd.alerts.wording import headline
from healthd.clock import Clock, Deadline
from healthd.config.values import CommandConfig
from healthd.events import one_line

TEXT_LIMIT = 4096
"""Characters of one variable. The kernel refuses to start a program with one longer than 128 KiB."""

OUTPUT_SHOWN = 300


class CommandSink:
    retry_for = 0.0  # a hook that failed may have done half of its work

    def __init__(self, config: CommandConfig, clock: Clock, host: str) -> None:
        self._config = config
        self._clock = clock
        self._host = host

    async def send(self, batch: Batch, served: set[str]) -> None:  # noqa: ARG002 - a hook is one receiver
        program, seconds = self._config.command[0], self._config.timeout
        output = bytearray()
        try:
            async with Deadline(self._clock, seconds):
                ended = await process.run(
                    self._config.command,
                    environment=os.environ | variables(batch),
                    stdin=standard_input(batch, self._host),
                    output=output,
                )
        except TimeoutError as error:
            reason = f"hook {program}: not done within {seconds:g} s, killed with its children"
            raise NotSentError(reason + _said(output), final=True) from error
        except OSError as error:
            raise NotSentError(f"hook: {process.explain(error, program)}", final=True) from error
        if ended.status:
            raise NotSentError(f"hook {program}: {ended.how}{_said(output)}", final=True)


def _said(output: bytearray) -> str:
    return f", output {show(bytes(output), OUTPUT_SHOWN)}" if output else ", no output"


def standard_input(batch: Batch, host: str) -> bytes:
    content = {
        "alert": batch.alert,
        "host": host,
        "text": headline(batch),
        "lost": batch.lost,
        "events": [event.record() for event in batch.events],
    }
    return json.dumps(content).encode() + b"\n"


def variables(batch: Batch) -> Mapping[str, str]:
    """HEALTHD_OLD and HEALTHD_NEW span everything that the message tells of its first subject."""
    line = batch.lines()[0]
    first, last = line.events[0], line.last
    text = last.text() if len(batch.events) == 1 else headline(batch)
    values = {
        "ALERT": batch.alert,
        "EVENT": last.kind,
        "SERVICE": last.service,
        "SERVER": getattr(last, "server", ""),
        "OLD": getattr(first, "old", ""),
        "NEW": getattr(last, "new", ""),
        "SEVERITY": last.severity.name.lower(),
        "TEXT": text,
        "COUNT": str(len(batch.events)),
    }
    return {f"HEALTHD_{name}": one_line(value, TEXT_LIMIT) for name, value in values.items()}
