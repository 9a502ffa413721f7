import asyncio
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from checkers import net
from checkers.base import OptionError, Outcome, Status, Target
from checkers.fault import tls_ended
from checkers.http import Http, Https
from checkers.tls import is_server_name
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.checkers.nginx import Nginx
from tests.checkers.servers import Canned, TcpServer

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def asked(tcp_server: TcpServer, context: ssl.SSLContext, checker: Https, address: str = "127.0.0.1") -> Outcome:
    host, port = await tcp_server(Canned(ANSWER), host=address, context=context)
    return await ask(checker, Target(address=host, port=port))


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (["127.0.0.1"], {}),
        (["www.example.com"], {"host": "www.example.com:8443"}),
        (["www.example.com"], {"tls_name": "www.example.com"}),
        (["www.example.com"], {"tls_name": "www.example.com", "host": "other.example"}),
        (["*.example.com"], {"host": "www.example.com", "tls_min": "1.3"}),
    ],
)
async def test_a_certificate_that_verifies(
    tcp_server: TcpServer, pki: Pki, names: list[str], options: dict[str, Any]
) -> None:
    """The certificate must carry `tls_name`, or else the name in `host`, or else the address that is asked."""
    outcome = await asked(tcp_server, pki.server(pki.issued(*names)), Https(ca_file=pki.ca_file, **options))
    assert (outcome.status, outcome.code) == (Status.PASS, "L7OK")


async def test_an_ipv6_address_is_verified_too(tcp_server: TcpServer, pki: Pki) -> None:
    """The address in the certificate is compared as an address."""
    outcome = await asked(tcp_server, pki.server(pki.issued("::1")), Https(ca_file=pki.ca_file), "::1")
    assert outcome.code == "L7OK"


@pytest.mark.parametrize(
    ("certificate", "options", "reason"),
    [
        ("wrong name", {}, "Hostname mismatch, certificate is not valid for 'www.example.com'"),
        ("wrong address", {"host": None}, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("expired", {}, "certificate has expired"),
        ("unknown", {}, "unable to get local issuer certificate; ca_file names who is trusted"),
        ("system authorities", {"ca_file": None}, "unable to get local issuer certificate"),
    ],
)
async def test_a_certificate_that_does_not_verify(
    tcp_server: TcpServer, pki: Pki, certificate: str, options: dict[str, Any], reason: str
) -> None:
    """Wrong name, expired, or from an authority not trusted: L6RSP, in OpenSSL's words; passed with verify = false."""
    path = {
        "expired": lambda: pki.issued("www.example.com", expired=True),
        "unknown": lambda: pki.unknown("www.example.com"),
        "system authorities": lambda: pki.issued("www.example.com"),
    }.get(certificate, lambda: pki.issued("mail.example.com"))()
    checker = Https(**{"host": "www.example.com", "ca_file": pki.ca_file, **options})
    outcome = await asked(tcp_server, pki.server(path), checker)
    assert (outcome.status, outcome.code) == (Status.FAIL, "L6RSP")
    assert outcome.detail.startswith(f"TLS handshake: certificate not accepted: {reason}")
    unverified = await asked(tcp_server, pki.server(path), Https(host="www.example.com", verify=False))
    assert unverified.code == "L7OK"


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, None),
        ({"host": "www.example.com"}, "www.example.com"),
        ({"tls_name": "a.test", "host": "b.test"}, "a.test"),
    ],
)
async def test_server_name_indication(
    tcp_server: TcpServer, pki: Pki, options: dict[str, Any], name: str | None
) -> None:
    """The server is told the name that is verified; an address is never sent as one (RFC 6066, section 3)."""
    seen: list[str | None] = []
    context = pki.server(pki.issued("x.test"))
    context.sni_callback = lambda _object, server_name, _context: seen.append(server_name)
    assert (await asked(tcp_server, context, Https(verify=False, **options))).code == "L7OK"
    assert seen == [name, name]  # asked in a task and in the engine


async def test_client_certificate(nginx: Nginx, pki: Pki) -> None:
    """A server that wants a client certificate gets `cert_file`; without one nginx answers 400."""
    target = Target(address="127.0.0.1", port=nginx.mutual)
    options: dict[str, Any] = {"host": "localhost", "ca_file": pki.ca_file}
    certificate = str(pki.issued("director.test"))
    assert (await ask(Https(cert_file=certificate, **options), target)).code == "L7OK"
    split = Https(cert_file=certificate, key_file=certificate, expect="OU=", **options)
    assert (await ask(split, target)).code == "L7OK"
    outcome = await ask(Https(**options), target)
    assert (outcome.code, "400 Bad Request" in outcome.detail) == ("L7STS", True)


async def test_a_handshake_that_demands_a_certificate(tcp_server: TcpServer, pki: Pki) -> None:
    """A server that ends the handshake for want of a client certificate is L6RSP."""
    context = pki.server(pki.issued("127.0.0.1"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # in TLS 1.3 the client's handshake is over before that
    context.verify_mode = ssl.CERT_REQUIRED
    outcome = await asked(tcp_server, context, Https(ca_file=pki.ca_file))
    assert (outcome.status, outcome.code) == (Status.FAIL, "L6RSP")


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("WRONG_VERSION_NUMBER", ", what came is no TLS"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", ", the server wants a certificate of the client: cert_file"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", ", the server speaks an older version only than tls_min"),
        ("SSL/TLS_ALERT_UNKNOWN_CA", ", the server does not know who issued the certificate of cert_file"),
        (
            "SSLV3_ALERT_BAD_CERTIFICATE",
            ", the server does not accept the certificate of cert_file, or wants one",
        ),
        (
            "TLSV1_ALERT_INTERNAL_ERROR",
            ", the server gave up, as some do at a name that they do not have: tls_name",
        ),
        ("TLSV1_ALERT_DECODE_ERROR", ", an alert of the server's"),
        ("BAD_ECPOINT", ""),
    ],
)
def test_the_words_of_openssl_are_explained(reason: str, told: str) -> None:
    """What an administrator can do something about, and whose word an alert is; the rest is left as it is named."""
    error = ssl.SSLError(1, "text")
    error.reason = reason
    assert str(tls_ended(error, "TLS handshake").outcome) == f"L6RSP TLS handshake: {reason}{told}"


async def test_a_server_without_tls(tcp_server: TcpServer, pki: Pki) -> None:
    """What it says instead is shown: mostly it names itself."""

    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com\r\n")

    host, port = await tcp_server(handler)
    outcome = await ask(Https(ca_file=pki.ca_file), Target(address=host, port=port))
    assert outcome.code == "L6RSP"
    assert outcome.detail.endswith(r'it begins with "220 mail.example.com\r\n"')


async def test_tls_min(tcp_server: TcpServer, pki: Pki) -> None:
    """A server without the least version asked for is L6RSP."""
    context = pki.server(pki.issued("127.0.0.1"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert (await asked(tcp_server, context, Https(ca_file=pki.ca_file))).code == "L7OK"
    assert (await asked(tcp_server, context, Https(ca_file=pki.ca_file, tls_min="1.3"))).code == "L6RSP"


async def test_http_with_tls_on_nginx(nginx: Nginx, pki: Pki) -> None:
    """`tls = true` makes http speak TLS."""
    checker = Http(tls=True, path="/page.html", ca_file=pki.ca_file, tls_name="localhost", expect="the end")
    outcome = await ask(checker, Target(address="127.0.0.1", port=nginx.tls))
    assert outcome.code == "L7OK"


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"ca_file": "/no/such.pem"}, "ca_file", 'cannot read "/no/such.pem": No such file or directory'),
        ({"ca_file": "/"}, "ca_file", 'cannot read "/": Is a directory'),
        ({"cert_file": "/no/such.pem"}, "cert_file", 'cannot read "/no/such.pem": No such file or directory'),
        ({"key_file": "/no/such.pem"}, "key_file", "needs cert_file"),
        ({"ca_file": "/x", "verify": False}, "ca_file", "has no effect with verify = false"),
        ({"tls_name": "a b"}, "tls_name", 'must be a host name or an address, not "a b"'),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], option: str, message: str) -> None:
    """The error names the option, the file and the reason."""
    with pytest.raises(OptionError) as caught:
        Https(**options)
    assert caught.value.option == option
    assert message in str(caught.value)


@pytest.mark.parametrize("options", [{"ca_file": "/x"}, {"tls_name": "a"}, {"cert_file": "/x"}, {"verify": False}])
def test_options_without_tls_are_refused(options: dict[str, Any]) -> None:
    """A TLS option on a check that never speaks TLS would be a false promise."""
    with pytest.raises(OptionError, match="has no effect without tls = true") as caught:
        Http(**options)
    assert caught.value.option in options


def test_files_that_are_no_certificates(tmp_path: Path, pki: Pki) -> None:
    """Garbage, a missing key, the key of another certificate and an encrypted key are four messages."""
    garbage, bare, encrypted = (tmp_path / name for name in ("garbage", "bare", "encrypted"))
    garbage.write_text("no certificate")
    leaf = trustme.CA().issue_cert("a.test")
    leaf.cert_chain_pems[0].write_to_path(str(bare))
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
    encrypted.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    other = pki.issued("b.test")
    for options, option, message in [
        ({"ca_file": garbage}, "ca_file", f'"{garbage}" holds no usable certificate in PEM form'),
        ({"cert_file": garbage}, "cert_file", f'"{garbage}" holds no usable certificate with its key in PEM form'),
        ({"cert_file": bare}, "cert_file", f'"{bare}" holds no usable certificate with its key in PEM form'),
        (
            {"cert_file": bare, "key_file": other},
            "key_file",
            f'"{other}" is not the key of the certificate in "{bare}"',
        ),
        ({"cert_file": bare, "key_file": encrypted}, "key_file", f'the key in "{encrypted}" is encrypted'),
    ]:
        with pytest.raises(OptionError) as caught:
            Https(**{name: str(path) for name, path in options.items()})  # type: ignore[arg-type] # only the file options
        assert (caught.value.option, message in str(caught.value)) == (option, True)


def test_a_renewed_certificate_is_another_check(tmp_path: Path, pki: Pki) -> None:
    """Checkers are equal while their files have not changed, and share one context; a reload takes new files."""
    file = tmp_path / "client.pem"
    file.write_bytes(pki.issued("one.test").read_bytes())
    before, same = (Https(cert_file=str(file)) for _ in range(2))
    file.write_bytes(pki.issued("two.test").read_bytes())
    after = Https(cert_file=str(file))
    assert before == same
    assert before.tls_context() is same.tls_context()
    assert before != after
    assert before.tls_context() is not after.tls_context()


@pytest.mark.parametrize(
    "name", ["www.example.com", "localhost", "10.0.0.1", "2001:db8::1", "_x.a-b", "xn--bcher-kva.de"]
)
def test_server_names(name: str) -> None:
    """Names of the DNS and addresses of both families can be sent."""
    assert is_server_name(name)


@pytest.mark.parametrize(
    "name", ["", ".a", "a.", "a..b", "a b", "a/b", "ü.de", "[::1]", "fe80::1%eth0", "a:1", "a" * 64]
)
def test_what_is_no_server_name(name: str) -> None:
    """What OpenSSL or Python's ssl would refuse in the middle of a check is refused before."""
    assert not is_server_name(name)


async def test_a_request_does_not_wait_for_the_handshake_to_be_acknowledged(tcp_server: TcpServer, pki: Pki) -> None:
    """The kernel would hold it back for some 40 ms, as it does a small packet after another (Nagle's algorithm)."""
    host, port = await tcp_server(Canned(ANSWER), context=pki.server(pki.issued("127.0.0.1")))
    async with net.connect(Target(address=host, port=port)) as stream:
        assert not stream._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        await stream.start_tls(Https(ca_file=pki.ca_file).tls_context(), host)
        assert stream._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
