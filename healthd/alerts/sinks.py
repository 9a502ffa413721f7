"""From the configuration of an alert to its sink. What is costly to import is imported when it is used."""

from __future__ import annotations

from healthd.alerts.command import CommandSink
from healthd.alerts.sink import Sink
from healthd.clock import Clock
from healthd.config.values import AlertConfig, AppriseConfig, CommandConfig, MailConfig, WebhookConfig


def make_sink(alert: AlertConfig, clock: Clock, host: str) -> Sink:
    match alert.sink:
        case MailConfig() as mail:
            from healthd.alerts.mail import MailSink  # noqa: PLC0415 - with all of `email` slow to import

            return MailSink(mail, clock, host)
        case CommandConfig() as command:
            return CommandSink(command, clock, host)
        case WebhookConfig() as webhook:
            from healthd.alerts.webhook import WebhookSink  # noqa: PLC0415 - only few have one

            return WebhookSink(webhook, clock, host, refresh=alert.repeat)
        case AppriseConfig() as apprise:
            from healthd.alerts.appriser import AppriseSink  # noqa: PLC0415 - only few have one

            return AppriseSink(apprise, clock, host)
