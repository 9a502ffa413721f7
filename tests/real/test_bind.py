"""BIND, from Debian's bind9: a primary and a secondary, signatures, and DNS over TLS."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, Outcome, Status, Target
from checkers.dns import Dns, Dot
from tests.checkers.asking import ask, longer
from tests.checkers.certificates import Pki
from tests.real.programs import Program, through_faults
from tests.support.ports import free_ports
from tests.support.processes import until

NAMED = shutil.which("named", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", "")) or "named"

ZONE = f"""\
$TTL 60
@     SOA  ns admin {{serial}} 3600 600 86400 60
      NS   ns
ns    A    127.0.0.1
long  TXT  {" ".join(f'"{i:03}{"x" * 200}"' for i in range(8))}
"""

CONF = """\
options {{
    directory "{folder}"; listen-on-v6 {{ none; }}; {listening}
    pid-file none; session-keyfile none; recursion no; dnssec-validation no; notify no; server-id "one";
    max-udp-size 4096; allow-transfer {{ any; }}; tcp-listen-queue 128;
}};
controls {{ }};
{more}
"""


@dataclass(frozen=True)
class Ports:
    plain: int
    tls: int
    expired: int
    secondary: int


@pytest.fixture(scope="module")
def ports() -> Ports:
    return Ports(*free_ports(4))


@pytest.fixture(scope="module")
def keys(folder: Path) -> dict[str, str]:
    """The files of the secrets of three keys, of which the server knows the first two; the third is a wrong secret."""
    files = {}
    for name in ("probe", "md5", "wrong"):
        files[name] = str(folder / f"{name}.key")
        Path(files[name]).write_text(base64.b64encode(name.encode() * 8).decode() + "\n")
    return files


def write_zone(folder: Path, serial: int) -> None:
    (folder / "zone").write_text(ZONE.format(serial=serial))


@pytest.fixture(scope="module")
def primary(folder: Path, ports: Ports, pki: Pki, keys: dict[str, str]) -> Iterator[Program]:
    good, expired = pki.issued("127.0.0.1"), pki.issued("127.0.0.1", expired=True)
    secrets = {name: Path(file).read_text().strip() for name, file in keys.items()}
    zones = f"""
        tls good {{ cert-file "{good}"; key-file "{good}"; }};
        tls expired {{ cert-file "{expired}"; key-file "{expired}"; }};
        key probe {{ algorithm hmac-sha256; secret "{secrets["probe"]}"; }};
        key md5 {{ algorithm hmac-md5; secret "{secrets["md5"]}"; }};
        zone example.test {{ type primary; file "{folder}/zone"; }};
        zone closed.test {{ type primary; file "{folder}/zone"; allow-query {{ key probe; }}; }};"""
    listening = f"""listen-on port {ports.plain} {{ 127.0.0.1; }};
        listen-on port {ports.tls} tls good {{ 127.0.0.1; }};
        listen-on port {ports.expired} tls expired {{ 127.0.0.1; }};"""
    write_zone(folder, 4294967294)
    (folder / "primary.conf").write_text(CONF.format(folder=folder, listening=listening, more=zones))
    command: list[str | Path] = [NAMED, "-g", "-n", "1", "-c", folder / "primary.conf"]
    more = [ports.tls, ports.expired]
    with Program(command, folder, port=ports.plain, more=more, says=" running\n") as program:
        yield program


@pytest.fixture(scope="module")
def secondary(folder: Path, ports: Ports, primary: Program) -> Iterator[Program]:
    more = f"zone example.test {{ type secondary; primaries port {primary.port} {{ 127.0.0.1; }}; }};"
    own = folder / "secondary"
    own.mkdir()
    own.chmod(0o777)
    listening = f"listen-on port {ports.secondary} {{ 127.0.0.1; }};"
    (own / "conf").write_text(CONF.format(folder=own, listening=listening, more=more))
    command: list[str | Path] = [NAMED, "-g", "-n", "1", "-c", own / "conf"]
    with Program(command, own, port=ports.secondary, says="transferred serial 4294967294") as program:
        yield program


def at(port: int) -> Target:
    return Target(address="127.0.0.1", port=port)


def judged(outcome: Outcome) -> tuple[Status, str]:
    return outcome.status, outcome.code


PASS, STATUS, WRONG, TLS = (
    (Status.PASS, Code.L7OK),
    (Status.FAIL, Code.L7STS),
    (Status.FAIL, Code.L7RSP),
    (Status.FAIL, Code.L6RSP),
)


async def test_udp_through_faults(primary: Program) -> None:
    """Who has stopped refuses, and who hangs is cut off."""
    await through_faults(Dns(name="example.test"), at(primary.port), primary, refused=Code.L4CON, hung=Code.L7TOUT)


async def test_tls_through_faults(primary: Program, ports: Ports, pki: Pki) -> None:
    """Likewise over TLS, where the handshake is what a hung server does not finish."""
    checker = Dot(name="example.test", ca_file=pki.ca_file)
    await through_faults(checker, at(ports.tls), primary, refused=Code.L4CON, hung=Code.L6TOUT)


async def test_certificates(primary: Program, ports: Ports, pki: Pki) -> None:
    """Expired, of an unknown authority, for another name: each is told; a server without TLS is no server here."""
    cases: list[tuple[int, dict[str, Any], str]] = [
        (ports.expired, {"ca_file": pki.ca_file}, "certificate has expired"),
        (ports.tls, {}, "unable to get local issuer certificate"),
        (ports.tls, {"ca_file": pki.ca_file, "tls_name": "other.test"}, "Hostname mismatch"),
    ]
    for port, options, reason in cases:
        outcome = await ask(Dot(name="example.test", **options), at(port))
        assert judged(outcome) == TLS
        assert reason in outcome.detail
    outcome = await ask(Dot(name="example.test", ca_file=pki.ca_file), at(primary.port), 1)
    assert outcome.status is Status.FAIL
    assert outcome.code in (Code.L6RSP, Code.L6TOUT)


async def test_signatures(primary: Program, keys: dict[str, str], ports: Ports, pki: Pki) -> None:
    """A zone for the holders of a key: with it, without it, with another secret, by another name."""
    closed: dict[str, Any] = {"name": "closed.test", "tsig_key": "probe"}
    for transport in ("udp", "tcp"):
        checker = Dns(**closed, transport=transport, tsig_secret_file=keys["probe"], expect_regex=" 3600 ")
        outcome = await ask(checker, at(primary.port))
        assert judged(outcome) == PASS
        assert outcome.detail.endswith(", signed")
    over_tls = Dot(**closed, tsig_secret_file=keys["probe"], ca_file=pki.ca_file)
    assert judged(await ask(over_tls, at(ports.tls))) == PASS
    old = Dns(name="example.test", tsig_key="MD5.", tsig_algorithm="hmac-md5", tsig_secret_file=keys["md5"])
    assert judged(await ask(old, at(primary.port))) == PASS
    outcome = await ask(Dns(name="closed.test"), at(primary.port))
    assert (judged(outcome), outcome.detail) == (STATUS, "closed.test SOA: answered REFUSED, expected NOERROR")
    outcome = await ask(Dns(**closed, tsig_secret_file=keys["wrong"]), at(primary.port))
    assert judged(outcome) == STATUS
    assert outcome.detail == (
        "closed.test SOA: answered NOTAUTH, expected NOERROR, "
        "TSIG BADSIG: the server has another secret under this name"
    )
    stranger = Dns(name="closed.test", tsig_key="stranger", tsig_secret_file=keys["probe"])
    outcome = await ask(stranger, at(primary.port))
    assert judged(outcome) == STATUS
    assert outcome.detail == (
        "closed.test SOA: answered NOTAUTH, expected NOERROR, TSIG BADKEY: the server does not know the key"
    )


async def test_edns(primary: Program, keys: dict[str, str]) -> None:
    """A larger datagram is allowed for, the server says its name, and a signature goes with both."""
    long: dict[str, Any] = {"name": "long.example.test", "record": "TXT"}
    assert "over TCP because truncated" in (await ask(Dns(**long), at(primary.port))).detail
    assert "over TCP because truncated" in (await ask(Dns(**long, dnssec_ok=True), at(primary.port))).detail
    outcome = await ask(Dns(**long, edns_size=4096, dnssec_ok=True, nsid=True), at(primary.port))
    assert judged(outcome) == PASS
    assert outcome.detail.endswith(', NSID "one"')
    signed = Dns(name="example.test", nsid=True, tsig_key="probe", tsig_secret_file=keys["probe"])
    assert (await ask(signed, at(primary.port))).detail.endswith(', signed, NSID "one"')


async def test_a_secondary_that_lags(folder: Path, primary: Program, secondary: Program) -> None:
    """Its serial is compared with the primary's: as far behind as allowed, and not further, also where it wraps."""
    target, where = at(secondary.port), f"127.0.0.1:{primary.port}"
    strict = Dns(name="example.test", serial_of=where)
    lenient = Dns(name="example.test", serial_of=where, max_serial_lag=3)
    outcome = await ask(strict, target)
    assert outcome.detail.endswith(f"; serial 4294967294, the same as {where}"), outcome
    assert judged(await ask(strict, at(primary.port))) == PASS  # the primary itself is not asked twice
    write_zone(folder, 1)
    assert primary._process is not None
    os.kill(primary._process.pid, signal.SIGHUP)
    log = folder / "output.log"
    await until(lambda: re.search(r"example\.test/IN: loaded serial 1$", log.read_text(), re.MULTILINE) is not None)
    outcome = await ask(strict, target)
    assert judged(outcome) == WRONG
    assert outcome.detail.startswith(
        f"serial 4294967294 is 3 behind 1 of {where}, max_serial_lag = 0: NOERROR, 1 SOA record"
    )
    outcome = await ask(lenient, target)
    assert judged(outcome) == PASS
    assert outcome.detail.endswith(f"; serial 4294967294, 3 behind {where}")
    among = Dns(name="example.test", serial_of=(where, f"127.0.0.1:{secondary.port}"))
    assert judged(await ask(among, target)) == WRONG
    assert judged(await ask(among, at(primary.port))) == PASS
    ahead = Dns(name="example.test", serial_of=f"127.0.0.1:{secondary.port}")
    assert (await ask(ahead, at(primary.port))).detail.endswith(f"; serial 1, 3 ahead of 127.0.0.1:{secondary.port}")


async def test_a_primary_that_is_down_takes_no_secondary_out(primary: Program, secondary: Program) -> None:
    """Refused or silent: then the serial is not compared, and the detail says so."""
    where = f"127.0.0.1:{primary.port}"
    checker = Dns(name="example.test", serial_of=where, max_serial_lag=3)
    primary.pause()
    try:
        outcome = await longer(
            lambda seconds: ask(checker, at(secondary.port), seconds), 0.5, lambda outcome: judged(outcome) == PASS
        )
        assert judged(outcome) == PASS
        assert f"; serial 4294967294, asking {where} for its own: no answer within " in outcome.detail
    finally:
        primary.resume()
    primary.stop()
    outcome = await ask(checker, at(secondary.port))
    assert judged(outcome) == PASS
    assert f"; serial 4294967294, not compared with {where}: L4CON " in outcome.detail
    secondary.pause()
    try:
        outcome = await ask(checker, at(secondary.port), 0.5)
        assert judged(outcome) == (Status.FAIL, Code.L7TOUT)
    finally:
        secondary.resume()
        primary.start()
