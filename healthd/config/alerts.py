"""From the tables of alerts to the rules by which people and programs are told."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import stat
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from checkers.base import show
from healthd.config.alerttables import AlertTable, AppriseTable, CommandTable, MailTable, WebhookTable
from healthd.config.documents import reason
from healthd.config.findings import Findings
from healthd.config.sections import Read, Section, read
from healthd.config.values import AlertConfig, AppriseConfig, CommandConfig, MailConfig, SinkConfig
from healthd.config.webhooks import REFRESH, webhook
from healthd.config.words import described, meant, one_of
from healthd.events import ALERTED_BY_DEFAULT

MODELS: dict[str, Any] = {
    "mail": MailTable,
    "command": CommandTable,
    "webhook": WebhookTable,
    "apprise": AppriseTable,
}
PORTS = {"none": 25, "starttls": 587, "tls": 465}
BURSTS = {"mail": 10.0, "command": 0.0, "webhook": 10.0, "apprise": 10.0}
"""Seconds for which messages are held back, so that what happens together is told together."""
REQUIRED = {"mail": ("from", "to"), "command": ("command",), "webhook": (), "apprise": ("urls_file",)}
SECRETS = ("password_file", "token_file", "secret_file", "url_file", "urls_file")
FILES = ("ca_file", *SECRETS)


def alert(name: str, section: Section, services: Iterable[str], findings: Findings) -> AlertConfig | None:
    """The rule, or None where something is wrong, which has then been said. `services` are all names there are."""
    kind = section.data.get("type")
    if not isinstance(kind, str) or kind not in MODELS:
        if kind is None:
            findings.error(section.place, f'missing key "type"; expected {one_of(MODELS)}')
        else:
            hint = f"{show(kind)}{meant(kind, MODELS)}" if isinstance(kind, str) else described(kind)
            findings.error(section.at(("type",)), f"expected {one_of(MODELS)}, not {hint}")
        return None
    given = read(section, MODELS[kind], findings)
    missing = [key for key in REQUIRED[kind] if key not in section.data]
    for key in missing:
        findings.error(section.place, f'missing key "{key}"')
    if missing or given.broken:
        return None
    for key in FILES:
        if key in given.table:
            _look(given, key, given.table[key], findings)
    if "command" in given.table:
        _look_at_program(given, Path(given.table["command"][0]), findings)
    return _rule(name, given, _sink(kind, given, findings), tuple(services), findings)


def _rule(name: str, given: Read[Any], sink: SinkConfig, services: tuple[str, ...], findings: Findings) -> AlertConfig:
    table: AlertTable = given.table
    patterns = table.get("services", ("*",))
    if "services" in table:
        for index, pattern in enumerate(patterns):
            if not any(fnmatchcase(service, pattern) for service in services):
                place = given.section.at(("services", index))
                findings.warn(place, f"no service is named {show(pattern)}{meant(pattern, services)}")
    if table.get("events") == () and "heartbeat" not in table:
        place = given.section.at(("events",))
        findings.warn(place, "names no event: nothing is ever told; without the key it is what matters to most")
    rule = AlertConfig(
        name=name,
        events=frozenset(table.get("events", ALERTED_BY_DEFAULT)),
        services=patterns,
        burst=table.get("burst", BURSTS[table["type"]]),
        sink=sink,
        repeat=table.get("repeat"),
        rate=table.get("rate"),
        heartbeat=table.get("heartbeat"),
    )
    return dataclasses.replace(rule, repeat=rule.repeat or REFRESH) if rule.refreshes else rule


def _sink(kind: str, given: Read[Any], findings: Findings) -> SinkConfig:
    match kind:
        case "mail":
            return _mail(given, findings)
        case "webhook":
            return webhook(given, findings)
        case "apprise":
            if importlib.util.find_spec("apprise") is None:
                said = 'needs Apprise, which is not installed: pip install "healthd[apprise]"'
                findings.error(given.section.at(("type",)), said)
            return AppriseConfig(**_fields(AppriseConfig, given.table))
        case _:
            return CommandConfig(**_fields(CommandConfig, given.table))


def _mail(given: Read[MailTable], findings: Findings) -> MailConfig:
    table = given.table
    for key, other in (("user", "password_file"), ("password_file", "user")):
        if key in table and other not in table:
            findings.error(given.section.at((key,)), f"needs {other}: the two belong together")
    for key in ("verify", "ca_file"):
        if key in table and table.get("security", "none") == "none":
            findings.warn(given.section.at((key,)), 'is of no use without security = "starttls" or "tls"')
    return MailConfig(
        sender=table["from"], **{"port": PORTS[table.get("security", "none")], **_fields(MailConfig, table)}
    )


def _fields(sink: type[SinkConfig], table: Mapping[str, Any]) -> dict[str, Any]:
    """What the table says of the sink's own fields, which are named like its keys."""
    return {field.name: table[field.name] for field in dataclasses.fields(sink) if field.name in table}


def _look(given: Read[Any], key: str, path: Path, findings: Findings) -> None:
    """Says now what would otherwise come to light when the first message is to be sent."""
    place = given.section.at((key,))
    try:
        mode = path.stat().st_mode
    except OSError as error:
        findings.error(place, f"{show(str(path), 4096)} cannot be used: {reason(error)}")
        return
    if not stat.S_ISREG(mode):
        findings.error(place, f"{show(str(path), 4096)} is not a file")
    elif key in SECRETS and mode & stat.S_IROTH:
        findings.warn(place, f"everybody on this machine can read {show(str(path), 4096)}; run chmod o-r on it")
    elif key == "ca_file" and not _has_certificates(path):
        findings.error(place, f"{show(str(path), 4096)} holds no certificate in PEM form")


def _has_certificates(path: Path) -> bool:
    import ssl  # noqa: PLC0415 - for those who have certificates of their own

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:
        return False
    return True


def _look_at_program(given: Read[Any], program: Path, findings: Findings) -> None:
    """It may come later, so this is no more than a warning."""
    try:
        sound = stat.S_ISREG(program.stat().st_mode) and os.access(program, os.X_OK)
        trouble = "" if sound else "it is no executable file"
    except OSError as error:
        trouble = reason(error)
    if trouble:
        findings.warn(given.section.at(("command",)), f"{show(str(program), 4096)} cannot be run: {trouble}")
