import email
import email.policy
from email.utils import parsedate_to_datetime

import pytest

from healthd.alerts.message import compose, domain
from healthd.config.values import MailConfig
from tests.healthd.alerts.making import AT, batch, down

CONFIG = MailConfig(to=("ops@example.com", "Night Shift <night@example.com>"), sender="healthd@lb1.example.com")


def test_headers() -> None:
    """From, To, Subject, Date and Message-ID are there, and no vacation notice will answer."""
    message = compose(batch(down()), CONFIG, "lb1.example.com")
    assert message["Subject"] == "[healthd lb1.example.com] web: server 10.0.0.1:80 down"
    assert message["From"] == "healthd@lb1.example.com"
    assert message["To"] == "ops@example.com, Night Shift <night@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == "<healthd.a1b2@lb1.example.com>"
    assert parsedate_to_datetime(message["Date"]).timestamp() == AT
    assert message.get_content_type() == "text/plain"


def test_a_hostile_name_adds_no_header() -> None:
    """A line break in a service name or in a host name stays text within the subject."""
    message = compose(batch(down(service="web\r\nBcc: all@example.com\r\n\r\nbody")), CONFIG, "lb1\nX-Evil: 1")
    raw = message.as_bytes(policy=email.policy.SMTP)
    parsed = email.message_from_bytes(raw, policy=email.policy.SMTP)
    assert parsed["Bcc"] is None
    assert parsed["X-Evil"] is None
    assert r"web\r\nBcc: all@example.com\r\n\r\nbody" in parsed["Subject"]


def test_any_text_is_sent_as_ascii_and_arrives_whole() -> None:
    """A body that no SMTP server can stumble over, whatever a service is called and a server answered."""
    message = compose(batch(down(service="wëb", detail="ünïcode \ud800" + "x" * 2000)), CONFIG, "lb1")
    raw = message.as_bytes(policy=email.policy.SMTP)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    text = email.message_from_bytes(raw, policy=email.policy.SMTP).get_content()
    assert "wëb: server" in text
    assert "ünïcode \\ud800xxx" in text


def test_an_address_that_would_break_a_header_is_refused() -> None:
    """The configuration's own addresses get no way around either."""
    with pytest.raises(ValueError, match="linefeed"):
        compose(batch(down()), MailConfig(to=("a@example.com\nBcc: b@example.com",), sender="h@example.com"), "lb1")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("lb1.example.com", "lb1.example.com"), ("lb 1\n", "lb-1"), ("", "localhost"), ("bö", "b")],
)
def test_domain(host: str, expected: str) -> None:
    """Whatever a machine is called, what stands in EHLO and Message-ID is a domain."""
    assert domain(host) == expected
