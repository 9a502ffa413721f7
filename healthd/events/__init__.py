"""What happened, as values, and a fan-out that never holds up the one who tells.

`KINDS` are the names that alert rules use. Every event says which service or server it is about, in words that
need no other line to be understood, and `at` is wall-clock time: events are for people.
"""

from healthd.events.bus import Bus, Subscription
from healthd.events.event import Event, Severity, one_line
from healthd.events.kinds import (
    ALERTED_BY_DEFAULT,
    KINDS,
    CheckUnknown,
    FallbackIn,
    FallbackOut,
    Reloaded,
    ReloadFailed,
    ServerAdmitted,
    ServerDown,
    ServerEvent,
    ServerUp,
    ServiceLost,
    ServiceRecovered,
    Started,
    Stopped,
    TableDrift,
    TableEdited,
    TableError,
    TableRestored,
    WorkerLost,
)

__all__ = [
    "ALERTED_BY_DEFAULT",
    "KINDS",
    "Bus",
    "CheckUnknown",
    "Event",
    "FallbackIn",
    "FallbackOut",
    "ReloadFailed",
    "Reloaded",
    "ServerAdmitted",
    "ServerDown",
    "ServerEvent",
    "ServerUp",
    "ServiceLost",
    "ServiceRecovered",
    "Severity",
    "Started",
    "Stopped",
    "Subscription",
    "TableDrift",
    "TableEdited",
    "TableError",
    "TableRestored",
    "WorkerLost",
    "one_line",
]
