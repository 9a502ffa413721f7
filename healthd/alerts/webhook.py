"""Webhooks: what a message is becomes one or more HTTP requests.

Rules:

1. What may pass (no connection, no answer in time, 5xx, 408, 425, 429) is tried again, and the receiver may say when.
   Every other answer than 2xx is final: the request will not get better. Redirections are not followed.
2. Of an answer a bounded part is read. What a 2xx answer says beyond its status decides nothing.
3. No token, secret, URL path or query appears in a text that leaves this file, even if the receiver repeats it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from healthd.alerts.batch import Batch
from healthd.alerts.exchange import Answer, Request, exchange
from healthd.alerts.forms import REFRESH, Forms, Post
from healthd.alerts.incidents import PAGERDUTY_URL
from healthd.alerts.sink import NotSentError
from healthd.clock import Clock
from healthd.config.values import WebhookConfig
from healthd.events import one_line

FILE_LIMIT = 4096
"""Bytes of a file with a secret."""
ANSWER_SHOWN = 300

PASSING = {408, 425, 429}
SHORTEST_MASKED = 4
SHORTEST_WORD = 8
"""Characters of a part of a path or query that may be a secret; shorter ones are words such as `api`."""


@dataclass(frozen=True, slots=True)
class Files:
    """What the files held when the message was sent."""

    url: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    secret: bytes = field(default=b"", repr=False)
    context: ssl.SSLContext | None = None

    headers: tuple[str, ...] = field(default=(), repr=False)

    def masked(self, text: str) -> str:
        parts = urlsplit(self.url)
        known = (self.url, self.token, self.secret.decode("utf-8", "replace"), *self.headers, parts.path, parts.query)
        words = re.split(r"[/&=]", f"{parts.path}/{parts.query}")
        for secret in (*known, *(word for word in words if len(word) >= SHORTEST_WORD)):
            if len(secret) >= SHORTEST_MASKED:
                text = text.replace(secret, "***")
        return one_line(text, ANSWER_SHOWN)


class WebhookSink:
    at_most_once = False

    def __init__(self, config: WebhookConfig, clock: Clock, host: str, *, refresh: float | None) -> None:
        self.retry_for = config.retry_for
        self._config = config
        self._clock = clock
        self._forms = Forms(config, host, refresh or REFRESH)

    async def send(self, batch: Batch, served: set[str]) -> str:
        files = await self._files()
        now = self._clock.wall()
        posts = await asyncio.to_thread(self._forms.posts, batch, files.token, now)
        answer = ""
        for post in posts:
            if post.key not in served:
                answer = await self._post(post, batch, files)
                served.add(post.key)
        return answer

    async def beat(self) -> bool:
        if self._config.heartbeat_url is None:
            return False
        context = (await self._files()).context
        files = Files(url=self._config.heartbeat_url, context=context)
        request = Request("GET", files.url, {"User-Agent": "healthd"})
        self._judge(await self._exchange(request, files), files)
        return True

    async def _post(self, post: Post, batch: Batch, files: Files) -> str:
        request = Request(self._config.method, files.url, self._headers(post, batch, files), post.body)
        return self._judge(await self._exchange(request, files), files)

    async def _exchange(self, request: Request, files: Files) -> Answer:
        try:
            return await exchange(request, self._clock, self._config.timeout, files.context)
        except TimeoutError as error:
            reason = f"not done within {self._config.timeout:g} s"
            raise NotSentError(f"webhook {place(files.url)}: {reason}") from error
        except OSError as error:
            raise NotSentError(f"webhook {place(files.url)}: {files.masked(str(error))}") from None
        except ValueError as error:
            raise NotSentError(f"webhook {place(files.url)}: {files.masked(str(error))}", final=True) from None

    def _judge(self, answer: Answer, files: Files) -> str:
        said = one_line(f"HTTP {answer.status} {answer.reason}", ANSWER_SHOWN)
        if answer.body:
            said = f"{said}: {files.masked(answer.body.decode('utf-8', 'replace'))}"
        if 200 <= answer.status <= 299:
            return said
        final = answer.status < 500 and answer.status not in PASSING
        if 300 <= answer.status <= 399:
            said = f"{said} (redirections are not followed)"
        after = 0.0 if final else answer.retry_after(self._clock.wall())
        raise NotSentError(f"webhook {place(files.url)}: {said}", final=final, retry_after=after)

    def _headers(self, post: Post, batch: Batch, files: Files) -> dict[str, str]:
        """The signature is over the time too, so that a receiver can refuse what somebody has kept and sends again."""
        headers = {"User-Agent": "healthd", "Content-Type": post.content_type, "X-Healthd-Id": batch.id}
        headers.update(self._config.headers)
        if files.token and self._config.format != "pagerduty":
            headers["Authorization"] = f"Bearer {files.token}"
        if files.secret:
            stamp = str(int(self._clock.wall()))
            digest = hmac.new(files.secret, f"{stamp}.".encode() + post.body, hashlib.sha256).hexdigest()
            headers |= {"X-Healthd-Timestamp": stamp, "X-Healthd-Signature": f"sha256={digest}"}
        return headers

    async def _files(self) -> Files:
        try:
            return await asyncio.to_thread(self._read_files)
        except (OSError, ValueError) as error:
            raise NotSentError(f"webhook: {error}") from None

    def _read_files(self) -> Files:
        config = self._config
        url = config.url or (_read(config.url_file, "url_file") if config.url_file else PAGERDUTY_URL)
        if not url.isprintable() or urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise ValueError(f"url_file {config.url_file} does not hold one http or https URL")
        context = None
        try:
            if url.startswith("https:") or (config.heartbeat_url or "").startswith("https:"):
                context = ssl.create_default_context(cafile=config.ca_file)
        except OSError as error:
            raise OSError(f"reading ca_file {config.ca_file}: {error.strerror or error}") from error
        if context is not None and not config.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        token = _read(config.token_file, "token_file") if config.token_file else ""
        secret = _read(config.secret_file, "secret_file").encode() if config.secret_file else b""
        return Files(url, token, secret, context, tuple(value for _, value in config.headers))


def place(url: str) -> str:
    """Where a URL leads, without what in it may be secret."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return one_line(f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else ""))


def _read(path: Path, key: str) -> str:
    """The one line of a file.

    Raises:
        OSError, ValueError: it cannot be read, or is not what it should be; the text holds nothing of it.

    """
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise OSError(f"reading {key} {path}: {error.strerror or error}") from error
    text = raw.decode("utf-8", "replace").strip()
    if len(raw) > FILE_LIMIT or not text or not text.isprintable():
        raise ValueError(f"{key} {path} has to hold one line of at most {FILE_LIMIT} bytes")
    return text
