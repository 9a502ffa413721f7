"""Which alert wants which event. Pure."""

from __future__ import annotations

import fnmatch

from healthd.config.values import AlertConfig
from healthd.events import Event


def wants(alert: AlertConfig, event: Event) -> bool:
    """By kind, and by the glob patterns of services; an event without a service is for alerts of all services."""
    if event.kind not in alert.events:
        return False
    if not event.service:
        return "*" in alert.services
    return any(fnmatch.fnmatchcase(event.service, pattern) for pattern in alert.services)
