from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from healthd.config import Config
from healthd.config.values import AlertConfig, CommandConfig, MailConfig
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
    for name in ("password", "ca.pem"):
        (tmp_path / name).write_text("hunter2")
        (tmp_path / name).chmod(0o640)
    config = loads(f"""{SERVICE}{MAIL}
        events = ["service_lost"]
        services = ["w*"]
        burst = "0s"
        host = "mail.example.com"
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
