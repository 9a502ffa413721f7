"""What may import what. The table is the design, and this compares it with the code."""

from __future__ import annotations

import ast
import graphlib
import sys
from collections.abc import Iterator

import pytest

from tests.support.sources import FILES, TREES, every_module

MAY_IMPORT = {
    # The checkers know nothing of healthd.
    "checkers": ["checkers.*"],
    "checkers.waiting": [],
    "checkers.outcome": [],
    "checkers.route": ["checkers.outcome"],
    "checkers.base": ["checkers.outcome", "checkers.route", "checkers.waiting"],
    "checkers.fault": ["checkers.base"],
    "checkers.tls_buffers": [],
    "checkers.routing": ["checkers.base", "checkers.fault", "checkers.route"],
    "checkers.sockets": ["checkers.base", "checkers.fault", "checkers.routing"],
    "checkers.datagrams": ["checkers.base", "checkers.fault", "checkers.sockets"],
    "checkers.net": [
        "checkers.base",
        "checkers.datagrams",
        "checkers.fault",
        "checkers.sockets",
        "checkers.tls_buffers",
    ],
    "checkers.spawn": [],
    "checkers.process": ["checkers.spawn"],
    # The vocabulary, and what needs nothing.
    "healthd.model": [],
    "healthd.clock": [],
    "healthd.lock": [],
    "healthd.printable": [],
    "healthd.page": [],
    "healthd.differences": ["healthd.model"],
    "healthd.edits": ["healthd.model"],
    "healthd.events": ["checkers.base", "healthd.printable"],
    # The configuration becomes values, and values become a plan.
    "healthd.config": ["checkers.*", "healthd.events", "healthd.model", "healthd.weights"],
    "healthd.plan": ["checkers.base", "healthd.config.values", "healthd.model"],
    # Pure decisions.
    "healthd.verdict": ["checkers.base", "healthd.model"],
    "healthd.overrides": ["healthd.model"],
    "healthd.phases": ["checkers.base", "healthd.clock"],
    "healthd.tally": ["checkers.base", "healthd.phases"],
    "healthd.weights": ["checkers.base", "healthd.model"],
    "healthd.layered": [],
    "healthd.policy": [
        "healthd.config.values",
        "healthd.layered",
        "healthd.model",
        "healthd.overrides",
        "healthd.plan",
        "healthd.verdict",
    ],
    "healthd.snapshot": [
        "checkers.base",
        "healthd.events",
        "healthd.overrides",
        "healthd.policy",
        "healthd.tally",
        "healthd.verdict",
    ],
    "healthd.remembered": ["checkers.base", "healthd.model", "healthd.overrides", "healthd.plan", "healthd.verdict"],
    # The one owner of mutable state, and its memory.
    "healthd.state": [
        "checkers.base",
        "healthd.config.values",
        "healthd.events",
        "healthd.model",
        "healthd.overrides",
        "healthd.plan",
        "healthd.policy",
        "healthd.tally",
        "healthd.verdict",
        "healthd.weights",
    ],
    "healthd.views": ["healthd.policy", "healthd.snapshot", "healthd.state", "healthd.verdict"],
    "healthd.herald": [
        "checkers.base",
        "healthd.clock",
        "healthd.edits",
        "healthd.events",
        "healthd.plan",
        "healthd.policy",
        "healthd.state",
        "healthd.verdict",
        "healthd.weights",
    ],
    "healthd.succession": [
        "healthd.config.values",
        "healthd.model",
        "healthd.plan",
        "healthd.remembered",
        "healthd.state",
        "healthd.verdict",
    ],
    "healthd.controller": [
        "checkers.base",
        "healthd.clock",
        "healthd.edits",
        "healthd.events",
        "healthd.herald",
        "healthd.layered",
        "healthd.model",
        "healthd.overrides",
        "healthd.phases",
        "healthd.plan",
        "healthd.policy",
        "healthd.remembered",
        "healthd.snapshot",
        "healthd.state",
        "healthd.succession",
        "healthd.tally",
        "healthd.verdict",
        "healthd.views",
        "healthd.weights",
    ],
    # What runs: checks, the table, alerts. None of them knows another, nor the controller.
    "healthd.descriptors": ["checkers.spawn"],
    "healthd.engine.watch": [],
    "healthd.engine.wheel": [],
    "healthd.schedulerview": [],
    "healthd.engine.lateness": ["healthd.schedulerview"],
    "healthd.engine.lost": ["healthd.clock"],
    "healthd.engine.boundary": ["checkers.base", "checkers.fault", "healthd.clock", "healthd.engine.lost"],
    "healthd.engine.lean": [
        "checkers.base",
        "healthd.engine.boundary",
        "healthd.clock",
        "healthd.engine.lost",
        "healthd.engine.watch",
        "healthd.engine.wheel",
    ],
    "healthd.slot": [
        "checkers.base",
        "checkers.waiting",
        "healthd.clock",
        "healthd.engine.lean",
        "healthd.phases",
        "healthd.plan",
    ],
    "healthd.scheduler": [
        "checkers.base",
        "healthd.engine.boundary",
        "healthd.clock",
        "healthd.engine.lean",
        "healthd.engine.lateness",
        "healthd.engine.lost",
        "healthd.phases",
        "healthd.plan",
        "healthd.schedulerview",
        "healthd.slot",
        "healthd.engine.wheel",
    ],
    "healthd.ipvs": ["healthd.edits", "healthd.model"],
    "healthd.reconcile": [
        "healthd.clock",
        "healthd.differences",
        "healthd.edits",
        "healthd.events",
        "healthd.ipvs",
        "healthd.model",
    ],
    "healthd.alerts": [
        "checkers.base",
        "checkers.process",
        "healthd.clock",
        "healthd.config.values",
        "healthd.events",
        "healthd.model",
    ],
    "healthd.workers": [
        "checkers.base",
        "checkers.part",
        "checkers.process",
        "checkers.registry",
        "checkers.spawn",
        "healthd.clock",
        "healthd.config.carrying",
        "healthd.config.values",
        "healthd.descriptors",
        "healthd.events",
        "healthd.log",
        "healthd.phases",
        "healthd.plan",
        "healthd.scheduler",
        "healthd.schedulerview",
        "healthd.tally",
        "healthd.verdict",
        "healthd.weights",
    ],
    "healthd.history": ["healthd.clock", "healthd.events", "healthd.tally"],
    "healthd.metrics": [
        "checkers.base",
        "healthd.events",
        "healthd.model",
        "healthd.policy",
        "healthd.schedulerview",
        "healthd.snapshot",
        "healthd.tally",
        "healthd.verdict",
    ],
    "healthd.log": ["healthd.events", "healthd.systemd.journal"],
    "healthd.vitals": [
        "healthd.clock",
        "healthd.controller",
        "healthd.events",
        "healthd.plan",
        "healthd.policy",
        "healthd.reconcile",
        "healthd.snapshot",
    ],
    "healthd.systemd": ["healthd.clock", "healthd.events", "healthd.vitals"],
    # What is remembered on the disk.
    "healthd.statefile": [
        "checkers.base",
        "healthd.config.values",
        "healthd.events",
        "healthd.model",
        "healthd.overrides",
        "healthd.plan",
        "healthd.printable",
        "healthd.remembered",
        "healthd.verdict",
    ],
    # What operators do: orders, and what comes of them.
    "healthd.operators.selecting": ["healthd.model"],
    "healthd.operators.orders": [
        "healthd.model",
        "healthd.operators.selecting",
        "healthd.overrides",
        "healthd.printable",
    ],
    "healthd.operators.terms": ["healthd.clock"],
    "healthd.operators.acting": [
        "healthd.edits",
        "healthd.events",
        "healthd.model",
        "healthd.operators.orders",
        "healthd.operators.selecting",
        "healthd.overrides",
        "healthd.policy",
        "healthd.state",
    ],
    "healthd.operators.preview": [
        "healthd.config.values",
        "healthd.edits",
        "healthd.model",
        "healthd.plan",
        "healthd.state",
        "healthd.succession",
        "healthd.verdict",
    ],
    "healthd.operators": [
        "checkers.base",
        "healthd.clock",
        "healthd.config",
        "healthd.config.apart",
        "healthd.config.values",
        "healthd.controller",
        "healthd.edits",
        "healthd.events",
        "healthd.ipvs",
        "healthd.ipvs.counting",
        "healthd.model",
        "healthd.operators.acting",
        "healthd.operators.orders",
        "healthd.operators.preview",
        "healthd.operators.selecting",
        "healthd.operators.terms",
        "healthd.overrides",
        "healthd.plan",
        "healthd.printable",
        "healthd.reconcile",
        "healthd.remembered",
        "healthd.state",
        "healthd.statefile.rounds",
        "healthd.statefile.running",
        "healthd.verdict",
    ],
    # Asking and telling a running daemon.
    "healthd.control": [
        "checkers.base",
        "healthd",
        "healthd.clock",
        "healthd.config.access",
        "healthd.config.values",
        "healthd.descriptors",
        "healthd.events",
        "healthd.ipvs",
        "healthd.model",
        "healthd.operators.orders",
        "healthd.overrides",
        "healthd.page",
        "healthd.policy",
        "healthd.schedulerview",
        "healthd.snapshot",
        "healthd.verdict",
        "healthd.weights",
    ],
    "healthd.showing": [
        "healthd.alerts.router",
        "healthd.alerts.view",
        "healthd.control.sources",
        "healthd.history.reader",
        "healthd.history.store",
        "healthd.history.writer",
    ],
    "healthd.measuring": [
        "healthd",
        "healthd.alerts.router",
        "healthd.clock",
        "healthd.config.values",
        "healthd.controller",
        "healthd.events",
        "healthd.history.store",
        "healthd.history.writer",
        "healthd.ipvs",
        "healthd.ipvs.counting",
        "healthd.metrics.daemon",
        "healthd.metrics.page",
        "healthd.metrics.servers",
        "healthd.model",
        "healthd.reconcile",
        "healthd.schedulerview",
    ],
    "healthd.pushes": [
        "checkers.base",
        "checkers.push",
        "healthd.clock",
        "healthd.plan",
    ],
    "healthd.interface": [
        "healthd",
        "healthd.alerts.router",
        "healthd.clock",
        "healthd.config.access",
        "healthd.config.values",
        "healthd.control.listening",
        "healthd.control.server",
        "healthd.control.sources",
        "healthd.controller",
        "healthd.events",
        "healthd.ipvs",
        "healthd.ipvs.counting",
        "healthd.measuring",
        "healthd.operators.operator",
        "healthd.page",
        "healthd.pushes",
        "healthd.reconcile",
        "healthd.schedulerview",
        "healthd.showing",
        "healthd.vitals",
    ],
    # What puts it together.
    "healthd.once": [
        "healthd.engine.boundary",
        "healthd.clock",
        "healthd.config.values",
        "healthd.controller",
        "healthd.descriptors",
        "healthd.edits",
        "healthd.events",
        "healthd.ipvs",
        "healthd.engine.lost",
        "healthd.model",
        "healthd.operators.acting",
        "healthd.overrides",
        "healthd.plan",
        "healthd.reconcile",
        "healthd.remembered",
        "healthd.slot",
        "healthd.snapshot",
        "healthd.statefile.rounds",
        "healthd.statefile.running",
    ],
    "healthd.assembly": [
        "healthd",
        "healthd.alerts.router",
        "healthd.clock",
        "healthd.config",
        "healthd.config.values",
        "healthd.controller",
        "healthd.descriptors",
        "healthd.events",
        "healthd.interface",
        "healthd.ipvs",
        "healthd.log",
        "healthd.measuring",
        "healthd.operators.operating",
        "healthd.operators.operator",
        "healthd.operators.rehearsal",
        "healthd.plan",
        "healthd.pushes",
        "healthd.reconcile",
        "healthd.scheduler",
        "healthd.showing",
        "healthd.systemd.notify",
        "healthd.systemd.service",
        "healthd.vitals",
        "healthd.workers.pool",
    ],
    "healthd.daemon": [
        "healthd.assembly",
        "healthd.clock",
        "healthd.config",
        "healthd.config.apart",
        "healthd.control.listening",
        "healthd.events",
        "healthd.interface",
        "healthd.ipvs",
        "healthd.model",
        "healthd.operators.operator",
        "healthd.systemd.notify",
        "healthd.vitals",
    ],
    "healthd.demo": [
        "healthd.clock",
        "healthd.config",
        "healthd.daemon",
        "healthd.events",
        "healthd.ipvs",
        "healthd.ipvs.memory",
        "healthd.model",
    ],
    "healthd.cli": ["checkers.*", "healthd", "healthd.*"],
    "healthd.__main__": ["healthd.cli"],
    "healthd": [],
}
"""A room is a module, or a package with all in it that is not a room of its own. Within a room all may import all.

`name` is that module alone, so `healthd.ipvs` is the protocol and neither of its implementations; `name.*` is
everything below it. `healthd` alone is the version.
"""

THIRD_PARTY = {
    "checkers.dns": ["dns"],
    "checkers.dnsextended": ["dns"],
    "checkers.dnssigning": ["dns"],
    "checkers.dnswire": ["dns"],
    "checkers.http2_exchange": ["h2", "hpack"],
    "checkers.http3_alert": ["aioquic"],
    "checkers.http3_bounds": ["aioquic", "pylsqpack"],
    "checkers.http3_exchange": ["aioquic"],
    "checkers.http3_trust": ["aioquic", "cryptography"],
    "checkers.ldap_answer": ["pyasn1", "pyasn1_modules"],
    "checkers.ldap_wire": ["pyasn1", "pyasn1_modules"],
    "checkers.http_answer": ["httptools"],
    "checkers.mysql_session": ["pymysql"],
    "checkers.oracle_session": ["oracledb"],
    "checkers.pattern": ["re2"],
    "checkers.postgres_session": ["pg8000"],
    "checkers.radius_wire": ["pyrad"],
    "healthd.alerts": ["aiohttp", "aiosmtplib", "apprise"],
    "healthd.cli": ["click", "pydantic", "rich", "tomli"],
    "healthd.config": ["pydantic", "pydantic_core", "tomli", "typing_extensions"],
    "healthd.control": ["aiohttp"],
    "healthd.demo": ["rich"],
}
"""The rooms that may know a library, and which."""


def imports(module: str, nodes: Iterator[ast.AST] | list[ast.stmt]) -> set[str]:
    """The modules that are imported, also within a function; `from package import module` names the module."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in FILES else str(node.module) for name in inside}
    return found


def all_imports(module: str) -> set[str]:
    return imports(module, ast.walk(TREES[module])) - {"__future__"}


def ours(names: set[str]) -> set[str]:
    return {name for name in names if name.partition(".")[0] in {"checkers", "healthd"}}


def room_of(module: str, rooms: object = MAY_IMPORT) -> str:
    """The room with the longest name that the module is in."""
    assert isinstance(rooms, dict)
    return max((room for room in rooms if f"{module}.".startswith(f"{room}.")), key=len, default="")


def allowed(room: str, imported: str) -> bool:
    return room_of(imported) == room or any(
        imported.startswith(entry[:-1]) if entry.endswith(".*") else imported == entry for entry in MAY_IMPORT[room]
    )


@every_module
def test_no_module_imports_what_its_room_may_not(module: str) -> None:
    """One direction, nothing points back; a room that needs more says so in the table first."""
    room = room_of(module)
    assert [name for name in sorted(ours(all_imports(module))) if not allowed(room, name)] == []


@every_module
def test_libraries_are_known_where_they_are_needed(module: str) -> None:
    """Everything else works with the standard library, so a library can be replaced in one place."""
    known = THIRD_PARTY.get(room_of(module, THIRD_PARTY), [])
    foreign = {name.partition(".")[0] for name in all_imports(module) - ours(all_imports(module))}
    assert sorted(foreign - sys.stdlib_module_names - set(known)) == []


def test_the_table_speaks_of_modules_that_exist() -> None:
    """Nothing in it is left over."""
    entries = {entry.removesuffix(".*") for room, entries in MAY_IMPORT.items() for entry in (room, *entries)}
    assert sorted((entries | set(THIRD_PARTY)) - set(FILES)) == []


def test_no_module_imports_itself_by_a_detour() -> None:
    """What is imported when a module is loaded makes no circle."""
    graph = {module: ours(imports(module, TREES[module].body)) & set(FILES) - {module} for module in FILES}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")
