"""Hooks: a program is run for every message, with the events as JSON on its standard input.

The environment describes the most important subject of the message, so that a short script needs no JSON.

Rules:

1. A program that says EX_TEMPFAIL, and one that could not be started, has done nothing: it is tried again.
2. Every other failure is final: a program that failed, was killed or missed its deadline may have done half its work.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

from checkers import process
from checkers.base import show
from healthd.alerts.batch import Batch
from healthd.alerts.document import document, essentials
from healthd.alerts.sink import NotSentError
from healthd.clock import Clock, Deadline
from healthd.config.values import CommandConfig
from healthd.events import one_line

TEXT_LIMIT = 4096
"""Characters of one variable. The kernel refuses to start a program with one longer than 128 KiB."""

OUTPUT_SHOWN = 300


class CommandSink:
    at_most_once = True

    def __init__(self, config: CommandConfig, clock: Clock, host: str) -> None:
        self.retry_for = config.retry_for
        self._config = config
        self._clock = clock
        self._host = host

    async def send(self, batch: Batch, served: set[str]) -> str:  # noqa: ARG002 - a hook is one receiver
        program, seconds = self._config.command[0], self._config.timeout
        output = bytearray()
        told, described = await asyncio.to_thread(lambda: (standard_input(batch, self._host), variables(batch)))
        try:
            async with Deadline(self._clock, seconds):
                ended = await process.run(
                    self._config.command,
                    environment=os.environ | described,
                    stdin=told,
                    output=output,
                )
        except TimeoutError as error:
            reason = f"hook {program}: not done within {seconds:g} s, killed with its children"
            raise NotSentError(reason + _said(output), final=True) from error
        except process.LostError as error:
            raise NotSentError(f"hook {program}: started, and then lost: {error.strerror}", final=True) from error
        except OSError as error:
            raise NotSentError(f"hook: {process.explain(error, program)}") from error
        if ended.status == os.EX_TEMPFAIL:
            raise NotSentError(f"hook {program}: {ended.how} (EX_TEMPFAIL){_said(output)}")
        if ended.status:
            raise NotSentError(f"hook {program}: {ended.how}{_said(output)}", final=True)
        return f"{ended.how}{_said(output)}"

    async def beat(self) -> bool:
        return False


def _said(output: bytearray) -> str:
    return f", output {show(bytes(output), OUTPUT_SHOWN)}" if output else ", no output"


def standard_input(batch: Batch, host: str) -> bytes:
    return document(batch, host) + b"\n"


def variables(batch: Batch) -> Mapping[str, str]:
    return {f"HEALTHD_{name.upper()}": one_line(value, TEXT_LIMIT) for name, value in essentials(batch).items()}
