import asyncio
import contextlib
import dataclasses
import itertools
import ssl
from pathlib import Path

import pytest
import trustme

from healthd.alerts.sink import NotSentError
from healthd.clock import ManualClock
from healthd.config.values import MailConfig
from tests.checkers.servers import TcpServer
from tests.healthd.alerts.mailserver import Mailbox, MailServers
from tests.healthd.alerts.sending import PLAIN, failure, send

PATIENCE = 60  # seconds that a mail server may take on a busy machine


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_tls(mail_servers: MailServers, ca_file: Path, server_tls: ssl.SSLContext, security: str) -> None:
    """With STARTTLS and with TLS from the start the message goes encrypted to a server that ca_file vouches for."""
    box = Mailbox()
    if security == "tls":
        port = await mail_servers.start(box, tls=server_tls)
        config = dataclasses.replace(PLAIN, port=port, security="tls", ca_file=ca_file)
    else:
        port = await mail_servers.start(box, starttls=server_tls)
        config = dataclasses.replace(PLAIN, port=port, security="starttls", ca_file=ca_file)
    await send(config)
    assert box.encrypted == [True]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_server_nobody_vouches_for_gets_nothing(
    mail_servers: MailServers, server_tls: ssl.SSLContext, security: str
) -> None:
    """Without its CA the certificate does not verify, and that is what the text says; verify = false sends anyway."""
    box = Mailbox()
    if security == "tls":
        config = dataclasses.replace(PLAIN, port=await mail_servers.start(box, tls=server_tls), security="tls")
    else:
        config = dataclasses.replace(
            PLAIN, port=await mail_servers.start(box, starttls=server_tls), security="starttls"
        )
    problem = await failure(config)
    assert "certificate verify failed" in str(problem)
    assert not problem.final
    assert not box.messages
    await send(dataclasses.replace(config, verify=False))
    assert box.encrypted == [True]


async def test_a_certificate_for_another_name_is_refused(
    mail_servers: MailServers, authority: trustme.CA, ca_file: Path
) -> None:
    """A trusted CA is not enough: the certificate must be the server's."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("mail.example.com").configure_cert(context)
    port = await mail_servers.start(Mailbox(), tls=context)
    problem = await failure(dataclasses.replace(PLAIN, port=port, security="tls", ca_file=ca_file))
    assert "IP address mismatch" in str(problem)


async def test_starttls_is_never_given_up(mail_servers: MailServers) -> None:
    """A server, or somebody in between, that offers no STARTTLS gets no message in the clear."""
    box = Mailbox()
    problem = await failure(dataclasses.replace(PLAIN, port=await mail_servers.start(box), security="starttls"))
    assert "STARTTLS extension not supported by server. (while starting TLS)" in str(problem)
    assert not box.messages


async def logging_in(
    mail_servers: MailServers, box: Mailbox, context: ssl.SSLContext, password_file: Path
) -> MailConfig:
    return dataclasses.replace(
        PLAIN,
        port=await mail_servers.start(box, starttls=context, login=True),
        security="starttls",
        verify=False,
        user="healthd",
        password_file=password_file,
    )


async def test_login(mail_servers: MailServers, server_tls: ssl.SSLContext, tmp_path: Path) -> None:
    """The password is read when a message is sent, without the end of its line; a corrected file needs no reload."""
    box, file = Mailbox(), tmp_path / "password"
    config = await logging_in(mail_servers, box, server_tls, file)
    assert f"[Errno 2] No such file or directory: '{file}' (while reading password_file {file})" in str(
        await failure(config)
    )
    file.write_text("wr0ngpassword\n")
    problem = await failure(config)
    assert str(problem) == (
        f"mail to ops@example.com by 127.0.0.1 port {config.port}: "
        "535 5.7.8 no login for healthd with *** (while logging in as healthd)"
    )
    assert not problem.final
    file.write_text("s3cr3t\n")
    await send(config)
    assert box.logins[-1] == ("healthd", "s3cr3t")
    assert len(box.messages) == 1


async def test_a_password_file_that_is_none(
    mail_servers: MailServers, server_tls: ssl.SSLContext, tmp_path: Path
) -> None:
    """A file that cannot be a password is refused before anything is sent."""
    file = tmp_path / "password"
    file.write_bytes(b"x" * 5000)
    problem = await failure(await logging_in(mail_servers, Mailbox(), server_tls, file))
    assert "longer than 4096 bytes (while reading password_file" in str(problem)


async def test_nobody_listens() -> None:
    """A dead port is said as such, with host and port, and is worth another try."""
    problem = await failure(dataclasses.replace(PLAIN, port=1))
    assert str(problem).startswith("mail to ops@example.com by 127.0.0.1 port 1: Connection refused (ECONNREFUSED)")
    assert not problem.final


async def failure_in_the_end(config: MailConfig, there: asyncio.Event) -> NotSentError:
    """The failure when the deadline strikes, which it does when the server is `there`."""
    clock = ManualClock()
    trying = asyncio.create_task(failure(config, clock))
    await asyncio.wait_for(there.wait(), PATIENCE)
    await clock.advance(config.timeout - 0.1)
    assert not trying.done()
    await clock.advance(0.1)
    return await trying


@pytest.mark.parametrize(
    ("said", "doing"), [(b"", "connecting"), (b"220 hello\r\n", "handing over the message"), (b"220-", "connecting")]
)
async def test_a_server_that_hangs_is_left_at_the_deadline(tcp_server: TcpServer, said: bytes, doing: str) -> None:
    """Silence, at the greeting or later, costs `timeout` seconds and no more."""

    there = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        if said.endswith(b"\n"):
            assert await reader.readline()
        there.set()
        await reader.read(-1)

    _, port = await tcp_server(silent)
    problem = await failure_in_the_end(dataclasses.replace(PLAIN, port=port, timeout=0.3), there)
    assert str(problem).endswith(f"not done within 0.3 s (while {doing})")
    assert not problem.final


async def test_tls_that_hangs_is_left_at_the_deadline(
    tcp_server: TcpServer, server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    """Neither a handshake that nobody answers nor silence after it, nor a goodbye of TLS that never comes, delays."""

    there = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        there.set()
        await reader.read(-1)

    config = dataclasses.replace(PLAIN, security="tls", ca_file=ca_file, timeout=0.3)
    _, deaf = await tcp_server(silent)
    _, mute = await tcp_server(silent, context=server_tls)
    for port in (deaf, mute):
        there.clear()
        problem = await failure_in_the_end(dataclasses.replace(config, port=port), there)
        assert str(problem).endswith("not done within 0.3 s (while connecting)")


async def test_a_server_that_drips_is_left_at_the_deadline(tcp_server: TcpServer) -> None:
    """A line now and then does not prolong the one deadline."""

    there = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in itertools.count():
            writer.write(b"220-x\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)
            if number == 10:
                there.set()

    _, port = await tcp_server(drip)
    problem = await failure_in_the_end(dataclasses.replace(PLAIN, port=port, timeout=0.3), there)
    assert "not done within 0.3 s" in str(problem)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"421 4.3.2 shutting down\r\n", "421 4.3.2 shutting down"),
        (b"554 no\r\n", "554 no"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "-1 Malformed SMTP response line: SSH-2.0-OpenSSH_9.2"),
        (b"220-" + b"x" * 100_000, "-1 Response too long"),
        (b"", "Unexpected EOF received"),
        (b"421 \x1b[2J\xff\r\n", "421 \\x1b[2J\\udcff"),
    ],
)
async def test_greetings_that_are_none(tcp_server: TcpServer, said: bytes, reason: str) -> None:
    """Whatever greets instead of a mail server: one printable line says what it was, and it is tried again."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        with contextlib.suppress(ConnectionError):
            await writer.drain()

    _, port = await tcp_server(greet)
    problem = await failure(dataclasses.replace(PLAIN, port=port))
    assert reason in str(problem)
    assert str(problem).isprintable()
    assert not problem.final


async def test_what_hangs_after_acceptance_is_not_sent_again(tcp_server: TcpServer) -> None:
    """A server that takes the message and then never answers QUIT has the message all the same."""

    taken = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        answers = {b"EHLO": b"250 ok", b"MAIL": b"250 ok", b"RCPT": b"250 ok", b"DATA": b"354 go", b".\r\n": b"250 ok"}
        while line := await reader.readline():
            if line[:4] in answers:
                writer.write(answers[line[:4]] + b"\r\n")
            if line.startswith(b"QUIT"):
                taken.set()

    _, port = await tcp_server(talk)
    clock = ManualClock()
    sending = asyncio.create_task(send(dataclasses.replace(PLAIN, port=port, timeout=100), clock))
    await asyncio.wait_for(taken.wait(), PATIENCE)
    await clock.advance(5)  # the deadline of the goodbye, which began before the server heard of it
    assert await sending == {"ops@example.com"}
