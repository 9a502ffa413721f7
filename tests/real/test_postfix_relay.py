"""Postfix, from Debian's postfix, as the relay that alerts by mail are handed to; its smtp-sink is where they end."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

import pytest

from healthd.alerts.router import Router
from healthd.clock import SystemClock
from healthd.config.values import MailConfig
from healthd.events import Bus
from tests.checkers.certificates import Pki
from tests.healthd.alerts.making import alert, down, until
from tests.healthd.alerts.sending import failure, send
from tests.real.postfix import Instance
from tests.real.programs import PATIENCE, Program
from tests.support.ports import free_ports

MAIN = """\
myhostname = relay.example.com
mynetworks = 127.0.0.0/8
mydestination =
relayhost = [127.0.0.1]:{sink}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{gone@example.com=REJECT}}, permit
smtpd_tls_security_level = encrypt
smtpd_tls_received_header = yes
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Relay:
    """`config` sends through it; `arrived` are the messages that have reached the far end."""

    program: Program
    config: MailConfig
    far_end: Program
    received: Path

    @property
    def arrived(self) -> list[EmailMessage]:
        found = set(self.received.iterdir())
        whole = found - self.far_end.open_files()  # it holds open what it still writes to
        return [BytesParser(policy=default).parsebytes(path.read_bytes()) for path in whole]


@pytest.fixture(scope="module")
def relay(pki: Pki) -> Iterator[Relay]:
    if os.geteuid() != 0:
        pytest.skip("postfix's master starts as root alone")
    with tempfile.TemporaryDirectory(prefix="healthd-relay-") as made:
        folder, (port, sink) = Path(made), free_ports(2)
        folder.chmod(0o755)  # postfix's user looks into it
        (folder / "received").mkdir()
        shutil.chown(folder / "received", "nobody")
        config = MailConfig(
            to=("ops@example.com",),
            sender="healthd@lb1.example.com",
            host="127.0.0.1",
            port=port,
            security="starttls",
            ca_file=Path(pki.ca_file),
        )
        command = ["smtp-sink", "-u", "nobody", "-d", f"{folder}/received/%s.", f"127.0.0.1:{sink}", "10"]
        with (
            Program(command, folder, port=sink) as far_end,
            Instance(
                folder, port, pki.issued("127.0.0.1"), MAIN.format(sink=sink), MASTER.format(port=port)
            ) as program,
        ):
            yield Relay(program, config, far_end, folder / "received")


async def test_an_alert_arrives_also_after_an_outage_of_the_relay(relay: Relay, tmp_path: Path) -> None:
    """Encrypted as far as the relay, whole and once; what could not be handed over waits and is tried again."""
    bus = Bus()
    ops = alert(burst=0, sink=relay.config)
    router = Router(bus, [ops], SystemClock(), "lb1", spool=tmp_path)
    bus.publish(down("10.0.0.1:80"))
    router.update([ops])
    await until(lambda: len(relay.arrived) == 1, PATIENCE)
    (message,) = relay.arrived
    assert message["To"] == "ops@example.com"
    assert "10.0.0.1:80" in message["Subject"]
    assert "server 10.0.0.1:80" in message.get_content()
    assert "using TLSv1.3" in str(message.get_all("Received"))
    relay.program.stop()
    try:
        bus.publish(down("10.0.0.2:80"))
        router.update([ops])
        await until(lambda: "(while connecting)" in router.view[0].last_error, PATIENCE)
    finally:
        relay.program.start()
    router.update([alert(burst=0, sink=relay.config, repeat=3600)])  # another configuration is tried at once
    await until(lambda: len(relay.arrived) == 2, PATIENCE)
    assert sum("10.0.0.2:80" in message["Subject"] for message in relay.arrived) == 1
    await until(lambda: router.view[0].queue == 0, PATIENCE)
    await router.close(PATIENCE)


async def test_a_recipient_whom_the_relay_refuses_is_told(relay: Relay, caplog: pytest.LogCaptureFixture) -> None:
    """In the relay's words, for good; another recipient of the same message gets it."""
    before = len(relay.arrived)
    refused = "refused: gone@example.com: 554 5.7.1 <gone@example.com>: Recipient address rejected: Access denied"
    await send(dataclasses.replace(relay.config, to=("gone@example.com", "noc@example.com")))
    assert refused in caplog.text
    await until(lambda: len(relay.arrived) == before + 1, PATIENCE)
    assert refused in str(await failure(dataclasses.replace(relay.config, to=("gone@example.com",))))
