from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import logging
import ssl
import subprocess
import sys
from email.utils import formatdate
from pathlib import Path

import pytest

from healthd.alerts.channel import Channel
from healthd.alerts.document import document
from healthd.alerts.sink import NotSentError
from healthd.alerts.webhook import WebhookSink, place
from healthd.clock import Clock, ManualClock, settle
from healthd.config.values import WebhookConfig
from tests.checkers.servers import TcpServer
from tests.healthd.alerts.hookserver import Receiver
from tests.healthd.alerts.making import AT, alert, batch, down, lost, until
from tests.support.ports import free_port

SECRET = "a-secret-of-the-receiver"
TOKEN = "a-token-that-nobody-may-see"


async def send(config: WebhookConfig, clock: Clock | None = None) -> str:
    """By default no deadline strikes, however slow this machine is."""
    return await WebhookSink(config, clock or ManualClock(), "lb1", refresh=None).send(batch(down(), lost()), set())


async def failure(config: WebhookConfig, clock: Clock | None = None) -> NotSentError:
    with pytest.raises(NotSentError) as caught:
        await send(config, clock)
    return caught.value


def secrets(folder: Path) -> dict[str, Path]:
    (folder / "secret").write_text(f"{SECRET}\n")
    (folder / "token").write_text(f"{TOKEN}\n")
    return {"secret_file": folder / "secret", "token_file": folder / "token"}


async def test_what_the_receiver_gets(receiver: Receiver) -> None:
    """JSON with everything, by POST, with an id that is the same at every try; the answer is for people."""
    config = WebhookConfig(url=receiver.url("/hook?x=1"), headers=(("X-Team", "web"),))
    assert await send(config) == "HTTP 200 OK: ok"
    (got,) = receiver.received
    assert (got.method, got.path, got.body) == ("POST", "/hook?x=1", document(batch(down(), lost()), "lb1"))
    assert json.loads(got.body)["events"] == [down().record(), lost().record()]
    assert (got.headers["Content-Type"], got.headers["X-Healthd-Id"], got.headers["X-Team"]) == (
        "application/json",
        "a1b2",
        "web",
    )
    assert "Authorization" not in got.headers
    assert "X-Healthd-Signature" not in got.headers


async def test_the_signature_is_over_time_and_body(receiver: Receiver, tmp_path: Path) -> None:
    """A receiver that has the secret can verify it, and see that nobody has kept it and sends it again."""
    await send(WebhookConfig(url=receiver.url(), **secrets(tmp_path)), ManualClock(wall=AT))  # type: ignore[arg-type]  # named alike
    (got,) = receiver.received
    stamp = got.headers["X-Healthd-Timestamp"]
    assert stamp == str(int(AT))
    expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Healthd-Signature"] == f"sha256={expected}"
    assert got.headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("status", "final"), [(500, False), (503, False), (429, False), (408, False), (400, True), (403, True), (404, True)]
)
async def test_which_answers_are_final(receiver: Receiver, status: int, final: bool) -> None:  # noqa: FBT001
    """A server that is in trouble or busy may take it later; a request that is wrong stays wrong."""
    receiver.answers = [(status, {})]
    problem = await failure(WebhookConfig(url=receiver.url("/hook/T0/secret")))
    assert problem.final is final
    assert str(problem).startswith(f"webhook http://127.0.0.1:{receiver.port}: HTTP {status} ")


async def test_redirections_are_not_followed(receiver: Receiver) -> None:
    """A secret must not go where a stranger points to."""
    receiver.answers = [(307, {"Location": receiver.url("/elsewhere")})]
    problem = await failure(WebhookConfig(url=receiver.url()))
    assert problem.final
    assert "HTTP 307 Temporary Redirect: ok (redirections are not followed)" in str(problem)
    assert receiver.received == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120.0), (formatdate(AT + 60, usegmt=True), 60.0), ("soon", 0.0), ("-5", 0.0), ("9" * 400, 0.0)],
)
async def test_retry_after(receiver: Receiver, header: str, seconds: float) -> None:
    """In seconds or as a date; nonsense counts as nothing."""
    receiver.answers = [(429, {"Retry-After": header})]
    problem = await failure(WebhookConfig(url=receiver.url()), ManualClock(wall=AT))
    assert problem.retry_after == seconds


async def test_a_receiver_that_fails_hangs_and_returns(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody there, then silence, then an error, then busy for a minute: what waited arrives, in order, once."""
    receiver = Receiver(port=free_port())  # nobody listens there yet
    config = alert(burst=0, sink=WebhookConfig(url=receiver.url(), timeout=3))
    clock = ManualClock()
    channel = Channel(
        config,
        lambda _: WebhookSink(config.sink, clock, "lb1", refresh=None),  # type: ignore[arg-type]  # a WebhookConfig
        clock,
    )
    channel.put(down())
    channel.put(lost())
    await until(lambda: len(caplog.messages) == 1)
    receiver.answers = [None, (500, {}), (429, {"Retry-After": "60"})]
    await receiver.start(port=receiver.port)
    await clock.advance(5)
    await until(lambda: receiver.hanging == 1)
    await clock.advance(3)
    await until(lambda: len(caplog.messages) == 2)
    await clock.advance(10)
    await until(lambda: len(caplog.messages) == 3)
    await clock.advance(20)
    await until(lambda: len(caplog.messages) == 4)
    await clock.advance(60)
    await channel.finished()
    where = f"alert ops: webhook http://127.0.0.1:{receiver.port}"
    assert "Connection refused (ECONNREFUSED)" in caplog.messages[0]
    assert caplog.messages[1:] == [
        f"{where}: not done within 3 s; next try in 10 s",
        f"{where}: HTTP 500 Internal Server Error: ok; next try in 20 s",
        f"{where}: HTTP 429 Too Many Requests: ok; next try in 60 s",
    ]
    assert [json.loads(got.body)["events"][0]["kind"] for got in receiver.received] == ["server_down", "service_lost"]
    await receiver.stop()


async def test_nothing_secret_is_said(receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not in messages, reprs or the log of libraries, even if the receiver repeats what it was given."""
    caplog.set_level(logging.DEBUG)
    (tmp_path / "url").write_text(receiver.url("/services/T0SECRET?key=K3YSECRET"))
    config = WebhookConfig(
        url_file=tmp_path / "url",
        headers=(("X-Key", "H34DER"),),
        heartbeat_url="http://127.0.0.1/H34RT",
        **secrets(tmp_path),  # type: ignore[arg-type]  # named alike
    )
    receiver.text = f"no {TOKEN} {SECRET} /services/T0SECRET key=K3YSECRET"
    receiver.answers = [(403, {})]
    said = f"{await failure(config)} {await send(config)} {config!r} {caplog.text}"
    assert "***" in said
    for secret in (TOKEN, SECRET, "T0SECRET", "K3YSECRET", "H34DER", "H34RT"):
        assert secret not in said
    problem = await failure(dataclasses.replace(config, url_file=None, url="http://127.0.0.1:1/T0SECRET"))
    assert "T0SECRET" not in str(problem)


async def test_files_are_read_for_every_message(receiver: Receiver, tmp_path: Path) -> None:
    """A new token needs no reload; a missing one may come back."""
    config = WebhookConfig(url=receiver.url(), token_file=tmp_path / "token")
    problem = await failure(config)
    assert not problem.final
    assert str(problem) == f"webhook: reading token_file {tmp_path}/token: No such file or directory"
    (tmp_path / "token").write_text("two\nlines")
    assert "has to hold one line" in str(await failure(config))
    (tmp_path / "token").write_text("new\n")
    await send(config)
    assert receiver.received[0].headers["Authorization"] == "Bearer new"


async def test_tls(server_tls: ssl.SSLContext, ca_file: Path) -> None:
    """The certificate has to be good, by the authority that is named, unless that is switched off."""
    receiver = await Receiver().start(server_tls)
    config = WebhookConfig(url=receiver.url(scheme="https"))
    problem = await failure(config)
    assert not problem.final
    assert "certificate verify failed" in str(problem)
    await send(dataclasses.replace(config, ca_file=ca_file))
    await send(dataclasses.replace(config, verify=False))
    assert len(receiver.received) == 2
    await receiver.stop()


async def test_an_endless_answer_is_cut_short(tcp_server: TcpServer) -> None:
    """Of the body a part is read; of headers no more than aiohttp bears."""

    async def talk(reader: object, writer: object) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000)  # type: ignore[attr-defined]  # a StreamWriter

    host, port = await tcp_server(talk)
    answer = await send(WebhookConfig(url=f"http://{host}:{port}/"))
    assert answer.startswith("HTTP 200 OK: xxx")
    assert len(answer) < 400

    async def headers(reader: object, writer: object) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000)  # type: ignore[attr-defined]  # a StreamWriter

    host, port = await tcp_server(headers)
    assert not (await failure(WebhookConfig(url=f"http://{host}:{port}/"))).final


async def test_the_heartbeat_has_a_place_of_its_own(receiver: Receiver) -> None:
    """A GET without anything, and failures are told."""
    config = WebhookConfig(url=receiver.url(), heartbeat_url=receiver.url("/ping/1234"))
    sink = WebhookSink(config, ManualClock(), "lb1", refresh=None)
    assert await sink.beat()
    assert [(got.method, got.path, got.body) for got in receiver.received] == [("GET", "/ping/1234", b"")]
    receiver.answers = [(500, {})]
    with pytest.raises(NotSentError, match="HTTP 500"):
        await sink.beat()
    assert not await WebhookSink(
        dataclasses.replace(config, heartbeat_url=None), ManualClock(), "", refresh=None
    ).beat()


async def test_pagerduty_goes_on_where_it_stopped(receiver: Receiver, tmp_path: Path) -> None:
    """One request for each subject; those that were taken are not sent again."""
    (tmp_path / "token").write_text("R0UTING")
    config = WebhookConfig(url=receiver.url(), format="pagerduty", token_file=tmp_path / "token")
    sink = WebhookSink(config, ManualClock(), "lb1", refresh=None)
    receiver.answers = [(202, {}), (429, {})]
    served: set[str] = set()
    with pytest.raises(NotSentError):
        await sink.send(batch(down(), lost()), served)
    await sink.send(batch(down(), lost()), served)
    keys = [json.loads(got.body)["dedup_key"] for got in receiver.received]
    assert keys == ["healthd/lb1/service/web", "healthd/lb1/server/web/10.0.0.1:80"]
    assert all("Authorization" not in got.headers for got in receiver.received)


def test_places_are_shown_without_what_is_secret() -> None:
    """Scheme, host and port."""
    assert place("https://hooks.slack.com/services/T/B/x") == "https://hooks.slack.com"
    assert place("http://[::1]:9/x?y") == "http://[::1]:9"


def test_aiohttp_is_imported_when_it_is_needed() -> None:
    """It takes 14 MiB, which those without a webhook do not pay."""
    program = (
        "import sys, healthd.alerts.router, healthd.alerts.sinks, healthd.alerts.webhook, healthd.alerts.appriser; "
        "sys.exit('aiohttp' in sys.modules or 'apprise' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


async def test_a_hanging_receiver_delays_nothing(receiver: Receiver) -> None:
    """A deadline ends it, by the clock of healthd."""
    receiver.answers = [None]
    clock = ManualClock()
    config = WebhookConfig(url=receiver.url(), timeout=30)
    sink = WebhookSink(config, clock, "lb1", refresh=None)
    channel = Channel(alert(burst=0, sink=config), lambda _: sink, clock)
    channel.put(down())
    await until(lambda: receiver.hanging)
    channel.stop()
    await settle()
    assert channel.delivery.busy
    await clock.advance(30)
    await channel.finished()
    assert channel.view.failed == 1
