"""SIP servers: Kamailio, from Debian's kamailio, and SIPp, from Debian's sip-tester."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, Status, Target
from checkers.sip import Sip
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.real.programs import Program, through_faults
from tests.support.ports import free_port, free_ports

KAMAILIO = """\
#!KAMAILIO
debug=0
log_stderror=yes
children=1
tcp_children=1
enable_tls=yes
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
listen=tls:127.0.0.1:{tls}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "tls.so"
modparam("tls", "config", "{folder}/tls.cfg")
request_route {{
    if (method == "OPTIONS" && $rU == "busy") {{
        sl_send_reply("486", "Busy Here");
        exit;
    }}
    sl_send_reply("200", "Alive");
}}
"""
TLS = """\
[server:default]
method = TLSv1.2+
private_key = {file}
certificate = {file}
[client:default]
"""
SIPP = """\
<?xml version="1.0" encoding="us-ascii"?>
<scenario name="one that takes its time">
  <recv request="OPTIONS"/>
  <send><![CDATA[
SIP/2.0 100 Trying
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Type: text/plain
Content-Length: [len]

ready
]]></send>
</scenario>
"""


class Kamailio:
    """Kamailio with one certificate; `tls` is the port with TLS."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        folder.mkdir()
        self.port, self.tls = free_ports(2)
        configuration = folder / "kamailio.cfg"
        configuration.write_text(KAMAILIO.format(port=self.port, tls=self.tls, folder=folder))
        (folder / "tls.cfg").write_text(TLS.format(file=certificate))
        files: list[str | Path] = ["-f", configuration, "-P", folder / "pid", "-Y", folder]
        command: list[str | Path] = ["kamailio", "-DD", "-E", *files, "-m", "16", "-M", "4"]
        self.program = Program(command, folder, port=self.port, more=[self.tls], udp=[self.port])


@pytest.fixture(scope="module")
def kamailio(folder: Path, pki: Pki) -> Iterator[Kamailio]:
    server = Kamailio(folder / "kamailio", pki.issued("127.0.0.1"))
    with server.program:
        yield server


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_through_faults(kamailio: Kamailio, transport: Any) -> None:
    """OPTIONS is answered; a port that nobody has is refused, by ICMP over UDP; who hangs is cut off."""
    target = Target(address="127.0.0.1", port=kamailio.port)
    checker = Sip(transport=transport)
    outcomes = await through_faults(checker, target, kamailio.program, refused=Code.L4CON, hung=Code.L7TOUT)
    assert str(outcomes[0]) == 'L7OK answered "200 Alive"'
    assert "ECONNREFUSED" in outcomes[3].detail


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_status(kamailio: Kamailio, transport: Any) -> None:
    """Another status than the good ones fails by its own code; it is good where that is said."""
    target = Target(address="127.0.0.1", port=kamailio.port)
    busy = Sip(transport=transport, uri="sip:busy@example.com")
    outcome = await ask(busy, target)
    assert str(outcome) == 'L7STS answered "486 Busy Here"; expected status 200'
    good = Sip(transport=transport, uri="sip:busy@example.com", status="200,480-489")
    assert (await ask(good, target)).status is Status.PASS


async def test_tls(kamailio: Kamailio, pki: Pki) -> None:
    """By TLS the certificate counts."""
    target = Target(address="127.0.0.1", port=kamailio.tls)
    outcome = await ask(Sip(transport="tcp", tls=True, ca_file=pki.ca_file), target)
    assert str(outcome) == 'L7OK answered "200 Alive"'
    mistaken = await ask(Sip(transport="tcp", tls=True), target)
    assert (mistaken.status, mistaken.code) == (Status.FAIL, Code.L6RSP)


async def test_expired_certificate(folder: Path, pki: Pki) -> None:
    """One that has expired is told by its text."""
    server = Kamailio(folder / "expired", pki.issued("127.0.0.1", expired=True))
    with server.program:
        target = Target(address="127.0.0.1", port=server.tls)
        outcome = await ask(Sip(transport="tcp", tls=True, ca_file=pki.ca_file), target)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L6RSP)
    assert outcome.detail.endswith("certificate not accepted: certificate has expired")


async def test_provisional(folder: Path) -> None:
    """A provisional response is waited over, and a body is no hindrance."""
    made = folder / "sipp"
    made.mkdir()
    (made / "scenario.xml").write_text(SIPP)
    port = free_port()
    where = ["-i", "127.0.0.1", "-p", str(port), "-t", "t1"]
    command: list[str | Path] = ["sipp", "-sf", made / "scenario.xml", *where, "-nostdin", "-m", "1000"]
    with Program(command, made, port=port):
        outcome = await ask(Sip(transport="tcp"), Target(address="127.0.0.1", port=port))
    assert str(outcome) == 'L7OK answered "200 OK"'
