from __future__ import annotations

from pathlib import Path

import tomli

from healthd.config import load
from healthd.config.layers import BUILT_IN
from healthd.config.values import Settings
from healthd.model import Forward, Protocol

CONF_D = Path(__file__).parents[3] / "conf.d"


def test_the_examples_are_good() -> None:
    """The configuration in the repository loads without an error and without a warning."""
    config = load(CONF_D)
    assert config.warnings == ()
    assert len(config.services) >= 6
    assert {type(alert.sink).__name__ for alert in config.alerts} == {"MailConfig", "CommandConfig", "WebhookConfig"}


def test_the_examples_show_what_there_is() -> None:
    """Both families, marks, every protocol in use, forwarding but by the tunnel, and the common kinds of check."""
    services = load(CONF_D).services
    assert {service.key.family for service in services} == {2, 10}
    assert any(service.key.fwmark for service in services)
    assert {service.key.protocol for service in services} >= {Protocol.TCP, Protocol.UDP}
    forwards = {server.destination.forward for service in services for server in service.servers}
    assert forwards >= {Forward.GATE, Forward.MASQ}
    used = {check.kind for service in services for check in service.checks}
    assert used >= {"always", "command", "dialog", "dns", "http", "https", "imaps", "smtp", "tcp"}


def test_the_defaults_in_the_examples_are_the_defaults() -> None:
    """00-healthd.toml says that it could be empty, and so it could."""
    written = load(CONF_D / "00-healthd.toml")
    assert written.settings == Settings()
    data = tomli.loads((CONF_D / "00-healthd.toml").read_text())
    assert data["defaults"] == BUILT_IN
