"""What can be wrong with a request, as the one exception that handlers raise, and its form for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from healthd.operators.orders import Refused

HTTP: Mapping[str, int] = {
    "invalid": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "not_allowed": 405,
    "too_slow": 408,
    "conflict": 409,
    "too_large": 413,
    "unsupported": 415,
    "too_often": 429,
    "busy": 503,
}
"""The HTTP status of each of ours."""


SENSELESS = "senseless"
"""What a route says of itself that may answer so."""

NO_SENSE = 422
"""The HTTP status of what is as it is described to be, and still cannot be done by anyone."""


class Failed(Exception):  # noqa: N818 - named for what happened
    """The request cannot be met: `status` is a key of `HTTP`, each message is a sentence for people.

    `retry_after` are the seconds after which it can.
    """

    def __init__(self, status: str, *messages: str, retry_after: float | None = None) -> None:
        super().__init__("; ".join(messages))
        self.status = status
        self.messages = messages
        self.http = HTTP[status]
        self.headers = {} if retry_after is None else {"Retry-After": str(math.ceil(retry_after))}

    @property
    def body(self) -> bytes:
        return json.dumps({"error": {"status": self.status, "messages": self.messages}}).encode()


def refused(refusal: Refused) -> Failed:
    """What the operator says, in the form of all failures."""
    failed = Failed(refusal.status, *refusal.messages)
    if refusal.status == "invalid":
        failed.http = NO_SENSE
    return failed
