from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from healthd.config import Config, ConfigError
from healthd.config.values import AlertConfig, AppriseConfig, CommandConfig, MailConfig, Rate, WebhookConfig
from healthd.events import ALERTED_BY_DEFAULT

Loads = Callable[[str], Config]

SERVICE = '[service.web]\nvirtual = "10.0.0.1:80"\ncheck = { type = "tcp" }\nserver = [{ address = "10.0.0.11" }]\n'
MAIL = '[alert.ops]\ntype = "mail"\nfrom = "healthd@example.com"\nto = "ops@example.com"\n'


def test_a_mail_rule_needs_only_sender_and_recipient(loads: Loads) -> None:
    """What happens within ten seconds is one mail; the events are those that people want to know of."""
    assert loads(SERVICE + MAIL).alerts == (
        AlertConfig(
            name="ops",
            events=ALERTED_BY_DEFAULT,
            services=("*",),
            burst=10.0,
            sink=MailConfig(to=("ops@example.com",), sender="healthd@example.com", host="localhost", port=25),
        ),
    )


@pytest.mark.parametrize(("security", "port"), [("none", 25), ("starttls", 587), ("tls", 465)])
def test_the_port_follows_the_security(loads: Loads, security: str, port: int) -> None:
    """Submission with STARTTLS, SMTP over TLS, or plain: each has a port of its own, unless another is given."""
    secured = f'{SERVICE}{MAIL}security = "{security}"\n'
    assert sink(loads(secured)).port == port
    assert sink(loads(f"{secured}port = 2525\n")).port == 2525


def sink(config: Config) -> MailConfig:
    found = config.alerts[0].sink
    assert isinstance(found, MailConfig)
    return found


def test_every_key_of_a_mail_rule_arrives(loads: Loads, tmp_path: Path) -> None:
    """The password stays in its file."""
    (tmp_path / "password").write_text("hunter2")
    (tmp_path / "password").chmod(0o640)
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    config = loads(f"""{SERVICE}{MAIL}
        events = ["service_lost"]
        services = ["w*"]
        burst = "0s"
        host = "mail.example.com"
        security = "starttls"
        verify = false
        ca_file = "{tmp_path}/ca.pem"
        user = "healthd"
        password_file = "{tmp_path}/password"
        timeout = "5s"
        retry_for = "1h"
    """)
    assert config.warnings == ()
    assert config.alerts[0].events == frozenset({"service_lost"})
    assert config.alerts[0].burst == 0.0
    assert sink(config) == MailConfig(
        to=("ops@example.com",),
        sender="healthd@example.com",
        host="mail.example.com",
        port=587,
        security="starttls",
        verify=False,
        ca_file=tmp_path / "ca.pem",
        user="healthd",
        password_file=tmp_path / "password",
        timeout=5.0,
        retry_for=3600.0,
    )


def test_a_password_that_everybody_can_read_is_a_warning(loads: Loads, tmp_path: Path) -> None:
    """With the command that mends it."""
    password = tmp_path / "password"
    password.write_text("hunter2")
    password.chmod(0o644)
    text = f'{SERVICE}{MAIL}user = "healthd"\npassword_file = "{password}"\n'
    said = f'alert.ops.password_file: everybody on this machine can read "{password}"; run chmod o-r on it'
    (warning,) = loads(text).warnings
    assert warning.endswith(said)


def test_a_command_is_called_at_once(loads: Loads) -> None:
    """Programs get every event by itself unless a burst is asked for."""
    config = loads(SERVICE + '[alert.hook]\ntype = "command"\ncommand = ["/bin/true", "-v"]\ntimeout = "3s"\n')
    (alert,) = config.alerts
    assert alert.burst == 0.0
    assert alert.sink == CommandConfig(command=("/bin/true", "-v"), timeout=3.0)


def test_every_key_of_a_webhook_arrives(loads: Loads, tmp_path: Path) -> None:
    """Secrets stay in their files, and the template is read from its own."""
    for name in ("url", "token", "secret"):
        (tmp_path / name).write_text("hunter2")
        (tmp_path / name).chmod(0o640)
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "template").write_text('{"text": "$text"}')
    config = loads(f"""{SERVICE}[alert.hook]
        type = "webhook"
        url_file = "{tmp_path}/url"
        method = "PUT"
        headers = {{ "X-Team" = "web", "X-Api" = "2" }}
        template_file = "{tmp_path}/template"
        content_type = "application/vnd.example+json"
        token_file = "{tmp_path}/token"
        secret_file = "{tmp_path}/secret"
        verify = false
        ca_file = "{tmp_path}/ca.pem"
        timeout = "3s"
        retry_for = "2h"
        repeat = "4h"
        rate = "20/1h"
        heartbeat = "5m"
        heartbeat_url = "https://ping.example.com/1234"
    """)
    assert config.warnings == ()
    (alert,) = config.alerts
    assert (alert.burst, alert.repeat, alert.rate, alert.heartbeat) == (10.0, 14400.0, Rate(20, 3600.0), 300.0)
    assert alert.sink == WebhookConfig(
        url_file=tmp_path / "url",
        method="PUT",
        headers=(("X-Team", "web"), ("X-Api", "2")),
        template='{"text": "$text"}',
        content_type="application/vnd.example+json",
        token_file=tmp_path / "token",
        secret_file=tmp_path / "secret",
        verify=False,
        ca_file=tmp_path / "ca.pem",
        timeout=3.0,
        retry_for=7200.0,
        heartbeat_url="https://ping.example.com/1234",
    )
    assert "hunter2" not in repr(config)
    assert "1234" not in repr(config)


WEBHOOK = '[alert.hook]\ntype = "webhook"\nurl = "http://localhost:9093/api/v2/alerts"\n'


def test_alertmanager_is_told_again_every_minute(loads: Loads) -> None:
    """It takes silence for recovery; others are told again only when that is asked for."""
    (plain,) = loads(SERVICE + WEBHOOK).alerts
    assert (plain.repeat, plain.refreshes, plain.kind) == (None, False, "webhook")
    (manager,) = loads(f'{SERVICE}{WEBHOOK}format = "alertmanager"\n').alerts
    assert (manager.repeat, manager.refreshes) == (60.0, True)
    (slower,) = loads(f'{SERVICE}{WEBHOOK}format = "alertmanager"\nrepeat = "2m"\n').alerts
    assert slower.repeat == 120.0


def test_apprise_needs_its_package(loads: Loads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said when the configuration is read, with the command that brings it."""
    (tmp_path / "urls").write_text("json://localhost/")
    (tmp_path / "urls").chmod(0o600)
    text = f'{SERVICE}[alert.all]\ntype = "apprise"\nurls_file = "{tmp_path}/urls"\n'
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    assert loads(text).alerts[0].sink == AppriseConfig(urls_file=tmp_path / "urls")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError) as caught:
        loads(text)
    said = 'alert.all.type: needs Apprise, which is not installed: pip install "healthd[apprise]"'
    assert caught.value.messages[0].endswith(said)
