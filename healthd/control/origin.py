"""What keeps other web sites from using a browser that can reach healthd.

Rules:

1. A request over TCP is answered only if its Host is an address, or a name that is ours: a foreign name that somebody
   lets point to this machine (DNS rebinding) is not.
2. What changes anything is not taken from a page of another origin, whoever the browser says it is.
3. A browser that is known by its cookie has to send, beside it, a token that only our own page can know.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from healthd.control.failures import Failed

_HOST = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::[0-9]{1,5})?")
CSRF = "X-CSRF-Token"


def check_host(host: str, names: frozenset[str], *, loopback: bool) -> None:
    """`names` are in lower case. `loopback` where only this machine may ask, and so no other address is ours.

    Raises:
        Failed: it is not ours.
    """
    match = _HOST.fullmatch(host)
    if match is not None:
        name = (match["six"] or match["name"]).lower().removesuffix(".")
        if name in names or name == "localhost":
            return
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            pass
        else:
            if address.is_loopback or not loopback:
                return
    raise Failed(
        "forbidden", "this is not the host that was asked for; if it should be, add its name to names in [control]"
    )


def check_origin(headers: Mapping[str, str]) -> None:
    """For everything that changes something.

    Raises:
        Failed: a browser says that the request comes from another site.
    """
    site = headers.get("Sec-Fetch-Site", "same-origin")
    origin = headers.get("Origin")
    foreign = site not in ("same-origin", "none") or (
        origin is not None and urlsplit_host(origin) != headers.get("Host", "").lower()
    )
    if foreign:
        raise Failed("forbidden", "requests from pages of other sites are not taken")


def urlsplit_host(origin: str) -> str:
    """Host and port of an origin, empty for one that has none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def check_csrf(headers: Mapping[str, str], csrf: str) -> None:
    """`csrf` is what the session's page knows.

    Raises:
        Failed: the request does not have it.
    """
    given = headers.get(CSRF, "")
    if not hmac.compare_digest(given.encode(errors="surrogateescape"), csrf.encode()):
        raise Failed("forbidden", f"the header {CSRF} does not have this session's token; load the page again")
