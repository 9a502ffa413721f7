"""The `tls` check's options, and peers that do not speak TLS; real servers are in tests/real."""

import datetime as dt
from typing import Any

import pytest

from checkers.base import Code, OptionError, Status
from checkers.tls_handshake import Tls
from tests.checkers.asking import ENOUGH, ask
from tests.checkers.certificates import Pki
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at, saying


async def test_a_server_that_then_says_nothing(tcp_server: TcpServer, pki: Pki) -> None:
    """The handshake is all that is asked; a certificate that ends soon is told in hours at last."""
    for days, degraded, told in ((30, False, " expires in 29 days ("), (1, True, " expires in 23 hours (")):
        target = await at(tcp_server, saying(), pki.server(pki.issued("127.0.0.1", days=days)))
        outcome = await ask(Tls(ca_file=pki.ca_file), target)
        assert (outcome.status, outcome.code, outcome.degraded) == (Status.PASS, Code.L6OK, degraded)
        assert told in outcome.detail
        assert outcome.expires is not None
        assert f"{dt.datetime.fromtimestamp(outcome.expires, dt.UTC):%Y-%m-%d %H:%M} UTC" in outcome.detail


async def test_another_name(tcp_server: TcpServer, pki: Pki) -> None:
    """`tls_name` is the one that the certificate must carry."""
    target = await at(tcp_server, saying(), pki.server(pki.issued("www.example.com")))
    assert (await ask(Tls(ca_file=pki.ca_file, tls_name="www.example.com"), target)).status is Status.PASS
    other = await ask(Tls(ca_file=pki.ca_file, tls_name="mail.example.com"), target)
    assert (other.status, other.code) == (Status.FAIL, Code.L6RSP)
    assert "Hostname mismatch" in other.detail


@pytest.mark.parametrize(
    ("said", "code", "seconds"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", Code.L6RSP, ENOUGH),
        (b"\x16\x03\x03\xff\xff" + b"\0" * 65536, Code.L6RSP, ENOUGH),
        (b"\x16\x03\x03", Code.L6TOUT, 0.3),
        (b"", Code.L6TOUT, 0.3),
    ],
)
async def test_no_tls(tcp_server: TcpServer, said: bytes, code: Code, seconds: float) -> None:
    """Another protocol, garbage, the beginning of a handshake, and silence."""
    outcome = await ask(Tls(), await at(tcp_server, saying(said)), seconds)
    assert (outcome.status, outcome.code) == (Status.FAIL, code), outcome


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"tls": False}, "tls", 'cannot be false here: type = "tcp" is the check without TLS'),
        ({"expires_warn": "14"}, "expires_warn", 'expected a duration such as "50ms", "5s" or "14d", not "14"'),
        (
            {"expires_fail": "99999d"},
            "expires_fail",
            'must be longer than "0s" and at most "36500d", not "99999d"',
        ),
        (
            {"expires_fail": "14d"},
            "expires_warn",
            'is 14d, but must be longer than expires_fail (14d) to come before it, or "off"',
        ),
        ({"alpn": ("h2", "")}, "alpn", 'expected names of protocols such as "h2" or "http/1.1", not ""'),
    ],
)
def test_bad_options(options: dict[str, Any], option: str, message: str) -> None:
    """What cannot work is refused when the check is made."""
    with pytest.raises(OptionError) as caught:
        Tls(**options)
    assert (caught.value.option, str(caught.value)) == (option, message)
