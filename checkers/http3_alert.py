"""The alerts of TLS that end a connection of HTTP/3, in words."""

from __future__ import annotations

import re

from aioquic.tls import AlertDescription

from checkers.fault import alert_in_words

TLS_ALERTS = range(0x100, 0x200)
"""Which errors of QUIC they are (RFC 9001, section 4.8)."""

_NOT_TRUSTED = re.compile("issuer certificate|self-signed certificate")  # OpenSSL's words, which the library passes on


def refused(code: int, text: str) -> str:
    """The server's alert, and what it means."""
    alert = _alert(code)
    return f"{alert}{text}, {alert_in_words(alert.upper().replace(' ', '_'))}"


def not_accepted(code: int, text: str) -> str:
    """The alert that this side has sent: mostly the library's reason not to accept the server's certificate."""
    alert = _alert(code)
    if "certificate" not in alert:
        return alert + text
    hint = "; ca_file names who is trusted" if _NOT_TRUSTED.search(text) else ""
    return f"certificate not accepted:{text or ' ' + alert}{hint}"


def _alert(code: int) -> str:
    try:
        return AlertDescription(code - TLS_ALERTS.start).name.replace("_", " ")
    except ValueError:
        return f"alert {code - TLS_ALERTS.start}"
