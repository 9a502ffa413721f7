"""What is sent to a webhook for one message: mostly one request, to PagerDuty one for each subject. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from healthd.alerts.batch import Batch
from healthd.alerts.chat import slack, teams
from healthd.alerts.document import document, fields
from healthd.alerts.incidents import alertmanager, pagerduty, pagerduty_actions
from healthd.alerts.template import render
from healthd.config.values import WebhookConfig

REFRESH = 60.0
"""Seconds after which a failure is repeated to Alertmanager unless the configuration says otherwise."""


@dataclass(frozen=True, slots=True)
class Post:
    """`key` tells it from the others of its message, and is the same at every try."""

    key: str
    body: bytes = field(repr=False)
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Forms:
    """`refresh` is how often failures are repeated; `token` goes into the body where that is the receiver's way."""

    config: WebhookConfig
    host: str
    refresh: float = REFRESH

    def posts(self, batch: Batch, token: str, now: float) -> list[Post]:
        config = self.config
        if config.template is not None:
            body = render(config.template, fields(batch, self.host), config.content_type)
            return [Post("message", body, config.content_type)]
        match config.format:
            case "slack":
                return [Post("message", slack(batch, self.host))]
            case "teams":
                return [Post("message", teams(batch, self.host))]
            case "alertmanager":
                return [Post("message", alertmanager(batch, self.host, now, self.refresh))]
            case "pagerduty":
                return self._pagerduty(batch, token)
            case "json":
                return [Post("message", document(batch, self.host))]

    def _pagerduty(self, batch: Batch, token: str) -> list[Post]:
        found = []
        for line in batch.lines():
            for resolve in pagerduty_actions(line):
                key = f"{'resolve' if resolve else 'trigger'} {'/'.join(line.subject)}"
                found.append(Post(key, pagerduty(line, batch, self.host, token, resolve=resolve)))
        return found
