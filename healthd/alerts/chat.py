"""A message in the form of a chat: Slack's incoming webhooks, and Workflows of Microsoft Teams. Pure.

What servers answered is in it: it is text from strangers, and stands only where no markup is understood.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from healthd.alerts.batch import Batch, Line
from healthd.alerts.wording import headline, lasted, local_time, notes
from healthd.events import Severity, one_line

SHOWN = 15
"""Subjects; of the others there is a count."""
DETAIL_LIMIT = 600
"""Characters of what is said of one of them."""

SLACK_TEXT = 2900
"""Characters of a section; Slack takes 3000."""
SLACK_HEADER = 150


def slack(batch: Batch, host: str) -> bytes:
    """https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and .../block-kit/blocks.

    `text` is for notifications, and the one place where Slack knows markup.
    """
    title = headline(batch)
    plain = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    blocks = [
        {"type": "header", "text": _slack_text(title[:SLACK_HEADER])},
        *({"type": "section", "text": _slack_text(text[:SLACK_TEXT])} for _, text in _details(batch)),
        {"type": "context", "elements": [_slack_text(_origin(batch, host))]},
    ]
    return json.dumps({"text": plain, "blocks": blocks}).encode()


def _slack_text(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text, "emoji": False}


def teams(batch: Batch, host: str) -> bytes:
    """An Adaptive Card as the trigger "When a Teams webhook request is received" takes it, of at most 28 KB.

    A RichTextBlock knows no markup, unlike a TextBlock.
    """
    title = _teams_text(headline(batch), weight="Bolder", size="Medium")
    rows = [
        _teams_text(text, color=_COLOURS[severity] if severity else "Default") for severity, text in _details(batch)
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [title, *rows, _teams_text(_origin(batch, host), isSubtle=True, size="Small")],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return json.dumps({"type": "message", "attachments": [attachment]}).encode()


_COLOURS = {Severity.CRITICAL: "Attention", Severity.WARNING: "Warning", Severity.INFO: "Good"}


def _teams_text(text: str, **style: object) -> dict[str, object]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _details(batch: Batch) -> Iterator[tuple[Severity | None, str]]:
    lines = batch.lines()
    for line in lines[:SHOWN]:
        yield line.severity, _detail(line, batch)
    if len(lines) > SHOWN:
        yield None, f"... and {len(lines) - SHOWN} more"
    for note in notes(batch):
        yield None, note


def _detail(line: Line, batch: Batch) -> str:
    events = f" ({len(line.events)} events)" if len(line.events) > 1 else ""
    text = one_line(f"{line.last.text()}{lasted(line, batch.since)}{events}", DETAIL_LIMIT)
    return f"{line.severity.name} {text} [{local_time(line.last.at)}]"


def _origin(batch: Batch, host: str) -> str:
    return f"healthd on {one_line(host)}, alert {one_line(batch.alert)}"
