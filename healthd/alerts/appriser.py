"""Apprise: a hundred ways of telling people, each a URL. An extra of healthd's, imported when it is used.

Its calls block, so they have a thread. A thread cannot be killed: one that is past its deadline goes on, and until it
has ended nothing else is tried, so that they do not pile up.
"""

from __future__ import annotations

import asyncio
import logging
import re
from pathlib import Path
from typing import Any

from healthd.alerts.batch import Batch
from healthd.alerts.sink import NotSentError
from healthd.alerts.wording import body, headline
from healthd.clock import Clock, Deadline
from healthd.config.values import AppriseConfig
from healthd.events import Severity, one_line

FILE_LIMIT = 65536
LONGEST_WORD = 3
"""Parts of a URL that are longer than this are masked in what Apprise says: any of them may be a secret."""

REASON_SHOWN = 300


class AppriseSink:
    at_most_once = False

    def __init__(self, config: AppriseConfig, clock: Clock, host: str) -> None:
        self.retry_for = config.retry_for
        self._config = config
        self._clock = clock
        self._host = host
        self._running: asyncio.Future[str] | None = None

    async def beat(self) -> bool:
        return False

    async def send(self, batch: Batch, served: set[str]) -> str:
        if self._running is not None and not self._running.done():
            raise NotSentError("apprise: the try before this one has not ended yet")
        running = self._running = asyncio.ensure_future(asyncio.to_thread(self._send, batch, served))
        running.add_done_callback(_look_at)
        try:
            async with Deadline(self._clock, self._config.timeout):
                return await asyncio.shield(running)
        except TimeoutError as error:
            raise NotSentError(f"apprise: not done within {self._config.timeout:g} s") from error

    def _send(self, batch: Batch, served: set[str]) -> str:
        """Blocks.

        Raises:
            NotSentError: one of the URLs did not take it.

        """
        try:
            import apprise  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise NotSentError(missing()) from error
        failed = []
        urls = _urls(self._config.urls_file)
        for number, url in urls:
            name = f"line {number}"
            if name not in served:
                if reason := _notify(apprise, url, batch, self._host):
                    failed.append(f"{name} of {self._config.urls_file} ({_scheme(url)}): {reason}")
                else:
                    served.add(name)
        if failed:
            raise NotSentError("apprise: " + one_line("; ".join(failed)))
        return f"taken by {', '.join(_scheme(url) for _, url in urls)}"


def missing() -> str:
    return 'apprise is not installed; it comes with the extra: pip install "healthd[apprise]"'


def _look_at(running: asyncio.Future[str]) -> None:
    """A try that ends after its deadline has nobody left who hears how."""
    if not running.cancelled():
        running.exception()


def _notify(apprise: Any, url: str, batch: Batch, host: str) -> str:
    """Why it was not sent; empty if it was."""
    for library in ("apprise", "urllib3"):
        logging.getLogger(library).propagate = False  # their lines may hold URLs with everything in them
    severity = batch.lines()[0].severity
    kind = {Severity.CRITICAL: "failure", Severity.WARNING: "warning"}.get(severity, "info")
    asset = apprise.AppriseAsset(app_id="healthd", app_desc="healthd", async_mode=False)
    service = apprise.Apprise(asset=asset)
    if not service.add(url):
        return "no URL that apprise knows"
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as said:
        title = f"[healthd {host}] {headline(batch)}"
        if service.notify(title=title, body=body(batch, host), notify_type=kind):
            return ""
        return masked(said.getvalue(), url) or "refused, without a reason"


def masked(text: str, url: str) -> str:
    for word in sorted(set(re.split(r"[/:@?&=,]+", url)), key=len, reverse=True):
        if len(word) > LONGEST_WORD:
            text = text.replace(word, "***")
    return one_line(" ".join(text.split()), REASON_SHOWN)


def _scheme(url: str) -> str:
    return one_line(url.partition("://")[0], 20)


def _urls(path: Path) -> list[tuple[int, str]]:
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise NotSentError(f"apprise: reading urls_file {path}: {error.strerror or error}") from error
    if len(raw) > FILE_LIMIT:
        raise NotSentError(f"apprise: urls_file {path} has more than {FILE_LIMIT} bytes")
    lines = enumerate(raw.decode("utf-8", "replace").splitlines(), 1)
    urls = [(number, line.strip()) for number, line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not urls:
        raise NotSentError(f"apprise: urls_file {path} holds no URL")
    return urls
