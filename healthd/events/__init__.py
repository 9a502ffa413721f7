"""What happened, as values, and a fan-out that never holds up the one who tells.

`KINDS` are the names that alert rules use. Every event says which service or server it is about, in words that
need no other line to be understood, and `at` is wall-clock time: events are for people.
"""

from healthd.events.acts import (
    Act,
    ActRefused,
    AlertTested,
    CheckAsked,
    DrainBegan,
    DrainEnded,
    Frozen,
    MaintenanceBegan,
    MaintenanceEnded,
    ReloadAsked,
    ServerAct,
    Thawed,
    WeightSet,
)
from healthd.events.bus import Bus, Subscription
from healthd.events.event import Event, Severity, outcome_of, outcome_record
from healthd.events.kinds import (
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
    WeightChanged,
    WorkerLost,
)
from healthd.events.registry import ALERTED_BY_DEFAULT, KINDS
from healthd.events.table import TableDrift, TableEdited, TableError, TableRestored
from healthd.events.telling import AlertFailed, AlertSent
from healthd.printable import one_line

__all__ = [
    "ALERTED_BY_DEFAULT",
    "KINDS",
    "Act",
    "ActRefused",
    "AlertFailed",
    "AlertSent",
    "AlertTested",
    "Bus",
    "CheckAsked",
    "CheckUnknown",
    "DrainBegan",
    "DrainEnded",
    "Event",
    "FallbackIn",
    "FallbackOut",
    "Frozen",
    "MaintenanceBegan",
    "MaintenanceEnded",
    "ReloadAsked",
    "ReloadFailed",
    "Reloaded",
    "ServerAct",
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
    "Thawed",
    "WeightChanged",
    "WeightSet",
    "WorkerLost",
    "one_line",
    "outcome_of",
    "outcome_record",
]
