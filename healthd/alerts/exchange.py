"""One HTTP request and its answer, by aiohttp, which is imported when the first is made.

Nothing is remembered between two requests: no cookie, no connection. No proxy or password comes from the environment.
"""

from __future__ import annotations

import contextlib
import email.utils
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from healthd.alerts.oserrors import words
from healthd.clock import Clock, Deadline

if TYPE_CHECKING:
    from aiohttp import ClientResponse

BODY_LIMIT = 4096
"""Bytes of an answer that are read."""
BODY_SECONDS = 2.0
"""How long a body is waited for that does not come: the status has been said."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    reason: str
    after: str = ""
    body: bytes = b""

    def retry_after(self, now: float) -> float:
        """Seconds, from a header with seconds or a date (RFC 9110, section 10.2.3); 0 where there is none."""
        if re.fullmatch(r"[0-9]{1,9}", self.after):
            return float(self.after)
        try:
            return max(0.0, email.utils.parsedate_to_datetime(self.after).timestamp() - now)
        except (ValueError, OverflowError):
            return 0.0


async def exchange(request: Request, clock: Clock, seconds: float, context: ssl.SSLContext | None) -> Answer:
    """The answer, when all of the request has been sent.

    Raises:
        TimeoutError: not within `seconds`.
        OSError: no connection, or it broke; a certificate that does not verify is one too.
        ValueError: the request cannot be made.

    """
    import aiohttp  # noqa: PLC0415 - 14 MiB, for those who have a webhook

    connector = aiohttp.TCPConnector(ssl=context or True, limit=1, force_close=True)
    nothing = aiohttp.ClientTimeout(total=None, sock_connect=None)
    try:
        async with (
            Deadline(clock, seconds),
            aiohttp.ClientSession(
                connector=connector, timeout=nothing, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            ) as session,
            session.request(
                request.method,
                request.url,
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
            ) as response,
        ):
            after = response.headers.get("Retry-After", "").strip()
            return Answer(response.status, response.reason or "", after, await _start_of_body(response, clock))
    except aiohttp.InvalidURL as error:
        raise ValueError("not a URL") from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise OSError(str(error.certificate_error)) from error
    except aiohttp.ClientConnectorError as error:
        raise OSError(words(error.os_error)) from error
    except aiohttp.ClientError as error:
        raise OSError(str(error) or type(error).__name__) from error


async def _start_of_body(response: ClientResponse, clock: Clock) -> bytes:
    from aiohttp import ClientError  # noqa: PLC0415 - see exchange

    with contextlib.suppress(TimeoutError, ClientError, OSError):
        async with Deadline(clock, BODY_SECONDS):
            return await response.content.read(BODY_LIMIT)
    return b""
