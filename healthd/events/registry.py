"""All kinds of event by name. A kind more is a class in `kinds`, `table` or `acts`, and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from healthd.events import acts, kinds, table
from healthd.events.event import Event

KINDS: Mapping[str, type[Event]] = {
    event.kind: event
    for event in (
        kinds.ServerDown,
        kinds.ServerUp,
        kinds.ServerAdmitted,
        kinds.WeightChanged,
        kinds.ServiceLost,
        kinds.ServiceRecovered,
        kinds.FallbackIn,
        kinds.FallbackOut,
        kinds.CheckUnknown,
        kinds.WorkerLost,
        table.TableEdited,
        table.TableDrift,
        table.TableError,
        table.TableRestored,
        kinds.Reloaded,
        kinds.ReloadFailed,
        kinds.Started,
        kinds.Stopped,
        acts.MaintenanceBegan,
        acts.MaintenanceEnded,
        acts.DrainBegan,
        acts.DrainEnded,
        acts.WeightSet,
        acts.Frozen,
        acts.Thawed,
        acts.CheckAsked,
        acts.ReloadAsked,
        acts.AlertTested,
        acts.ActRefused,
    )
}

ALERTED_BY_DEFAULT = frozenset(
    {
        "server_down",
        "server_up",
        "service_lost",
        "service_recovered",
        "fallback_in",
        "fallback_out",
        "table_error",
        "table_restored",
        "reload_failed",
    }
)
