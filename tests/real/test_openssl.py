"""OpenSSL's own server, from Debian's openssl, for the kind that asks for nothing but TLS."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checkers.base import Code, Status, Target
from checkers.tls_handshake import Tls
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.real.programs import Program, through_faults
from tests.support.ports import free_port


@contextmanager
def s_server(folder: Path, certificate: Path, *options: str) -> Iterator[Program]:
    port = free_port()
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate, "-key", certificate]
    with Program([*map(str, command), "-quiet", "-naccept", "1000", *options], folder, port=port) as program:
        yield program


def at(program: Program) -> Target:
    return Target(address="127.0.0.1", port=program.port)


async def test_through_faults(folder: Path, pki: Pki) -> None:
    """A handshake passes; who has stopped refuses, and who hangs is cut off in the handshake."""
    with s_server(folder, pki.issued("127.0.0.1")) as program:
        checker = Tls(ca_file=pki.ca_file)
        outcomes = await through_faults(checker, at(program), program, refused=Code.L4CON, hung=Code.L6TOUT)
    assert outcomes[0].code == Code.L6OK
    assert outcomes[0].detail.startswith("TLSv1.3 TLS_AES_256_GCM_SHA384, certificate expires in ")


async def test_certificates(folder: Path, pki: Pki) -> None:
    """Expired, made out to another, and from an unknown authority are three different texts; all are L6RSP."""
    for certificate, text in (
        (pki.issued("127.0.0.1", expired=True), "TLS handshake: certificate not accepted: certificate has expired"),
        (pki.issued("127.0.0.2"), "IP address mismatch, certificate is not valid for '127.0.0.1'."),
        (pki.unknown("127.0.0.1"), "unable to get local issuer certificate; ca_file names who is trusted"),
    ):
        with s_server(folder, certificate) as program:
            outcome = await ask(Tls(ca_file=pki.ca_file), at(program))
        assert (outcome.status, outcome.code) == (Status.FAIL, Code.L6RSP)
        assert text in outcome.detail, outcome


async def test_unverified(folder: Path, pki: Pki) -> None:
    """Without verification the end of the certificate is still looked at."""
    with s_server(folder, pki.issued("127.0.0.2", expired=True)) as program:
        soft = await ask(Tls(verify=False), at(program))
        hard = await ask(Tls(verify=False, expires_fail="1d"), at(program))
    assert (soft.status, soft.degraded) == (Status.PASS, True)
    assert ", certificate has expired (" in soft.detail
    assert (hard.status, hard.code) == (Status.FAIL, Code.L6RSP)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_expiry(folder: Path, pki: Pki, version: str) -> None:
    """A certificate that ends soon passes as degraded, or fails where that is asked for, in days to come."""
    with s_server(folder, pki.issued("127.0.0.1", days=9), version) as program:
        soft = await ask(Tls(ca_file=pki.ca_file), at(program))
        assert (soft.status, soft.degraded, soft.code) == (Status.PASS, True, Code.L6OK)
        assert ", certificate expires in 8 days (" in soft.detail
        assert soft.detail.endswith(" UTC); expires_warn = 14d")
        hard = await ask(Tls(ca_file=pki.ca_file, expires_fail="10d"), at(program))
        assert (hard.status, hard.code) == (Status.FAIL, Code.L6RSP)
        assert hard.detail.endswith(" UTC); expires_fail = 10d")
        silent = await ask(Tls(ca_file=pki.ca_file, expires_warn="off"), at(program))
        assert (silent.status, silent.degraded) == (Status.PASS, False)


async def test_alpn(folder: Path, pki: Pki) -> None:
    """The server has to choose one of the protocols; one that knows none, or only others, fails."""
    certificate = pki.issued("127.0.0.1")
    with s_server(folder, certificate, "-alpn", "h2,imap") as program:
        chosen = await ask(Tls(ca_file=pki.ca_file, alpn=("http/1.1", "h2")), at(program))
        assert (chosen.status, chosen.detail.split(", ")[1]) == (Status.PASS, "h2"), chosen
        other = await ask(Tls(ca_file=pki.ca_file, alpn=("pop3",)), at(program))
        assert (other.status, other.code) == (Status.FAIL, Code.L6RSP), other
    with s_server(folder, certificate) as program:
        none = await ask(Tls(ca_file=pki.ca_file, alpn=("h2",)), at(program))
    assert (none.status, none.code) == (Status.FAIL, Code.L6RSP)
    assert none.detail.endswith(", but none of these protocols (ALPN): h2")


async def test_client_certificate_and_versions(folder: Path, pki: Pki) -> None:
    """The options of TLS are those of every kind: a client's certificate, and the oldest version."""
    options = ["-Verify", "1", "-verify_return_error", "-CAfile", pki.ca_file, "-tls1_2"]
    with s_server(folder, pki.issued("127.0.0.1"), *options) as program:
        mine = str(pki.issued("director.example.com"))
        assert (await ask(Tls(ca_file=pki.ca_file, cert_file=mine), at(program))).status is Status.PASS
        without = await ask(Tls(ca_file=pki.ca_file), at(program))
        assert (without.status, without.code) == (Status.FAIL, Code.L6RSP), without
        newer = await ask(Tls(ca_file=pki.ca_file, cert_file=mine, tls_min="1.3"), at(program))
        assert (newer.status, newer.code) == (Status.FAIL, Code.L6RSP), newer
