"""From the table of a webhook to its values: what has to be there, and what does not go together."""

from __future__ import annotations

from pathlib import Path

from checkers.base import show
from healthd.config.alertfields import template_error
from healthd.config.alerttables import WebhookTable
from healthd.config.documents import reason
from healthd.config.findings import Findings
from healthd.config.sections import Read
from healthd.config.values import WebhookConfig

TEMPLATE_LIMIT = 65536

_RIVALS = (("url", "url_file"), ("template", "template_file"), ("format", "template"), ("format", "template_file"))

REFRESH = 60.0
"""Seconds: Alertmanager takes what it has not heard of for five minutes to be over."""


def webhook(given: Read[WebhookTable], findings: Findings) -> WebhookConfig:
    table = given.table
    for key, other in _RIVALS:
        if key in table and other in table:
            findings.error(given.section.at((other,)), f"cannot stand beside {key}: one of the two")
    form = table.get("format", "json")
    if not {"url", "url_file"} & set(given.section.data) and form != "pagerduty":
        findings.error(given.section.place, 'missing key "url", or "url_file" where the URL is a secret')
    if form == "pagerduty":
        _pagerduty(given, findings)
    if "content_type" in table and not {"template", "template_file"} & set(given.section.data):
        findings.error(given.section.at(("content_type",)), "needs template: a format has a type of its own")
    if "heartbeat_url" in table and "heartbeat" not in given.section.data:
        findings.error(given.section.at(("heartbeat_url",)), 'needs heartbeat, the pace, such as heartbeat = "5m"')
    if "token_file" in table and any(name.lower() == "authorization" for name, _ in table.get("headers", ())):
        findings.error(given.section.at(("headers",)), "has Authorization, which token_file sets too: one of the two")
    kept = {key: value for key, value in table.items() if key in WebhookConfig.__dataclass_fields__}
    return WebhookConfig(**{**kept, "template": _template(given, findings)})  # type: ignore[arg-type]  # named alike


def _pagerduty(given: Read[WebhookTable], findings: Findings) -> None:
    if "token_file" not in given.section.data:
        said = 'missing key "token_file": a file that holds the integration key of the PagerDuty service'
        findings.error(given.section.place, said)
    if "heartbeat" in given.table and "heartbeat_url" not in given.section.data:
        said = "needs heartbeat_url: to PagerDuty every sign of life would be an incident"
        findings.error(given.section.at(("heartbeat",)), said)


def _template(given: Read[WebhookTable], findings: Findings) -> str | None:
    """The template, from wherever it stands."""
    key = "template" if "template" in given.table else "template_file"
    place = given.section.at((key,))
    text = given.table.get("template")
    if text is None and "template_file" in given.table:
        path = given.table["template_file"]
        try:
            text = _read(path)
        except (OSError, UnicodeDecodeError) as error:
            why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else reason(error)
            findings.error(place, f"{show(str(path), 4096)} cannot be used: {why}")
    if text is None:
        return None
    wrong = template_error(text, given.table.get("content_type", WebhookConfig().content_type))
    if wrong:
        findings.error(place, wrong)
    return text


def _read(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(TEMPLATE_LIMIT + 1)
    if len(raw) > TEMPLATE_LIMIT:
        raise OSError(f"it has more than {TEMPLATE_LIMIT} bytes")
    return raw.decode()
