import dataclasses

import pytest

from healthd.alerts.channel import Channel
from healthd.alerts.mail import MailSink
from healthd.alerts.sink import NotSentError
from healthd.clock import ManualClock
from tests.healthd.alerts.mailserver import Mailbox, MailServers
from tests.healthd.alerts.making import alert, batch, down, until, up
from tests.healthd.alerts.sending import PLAIN, failure, send


async def test_one_message_for_a_burst_to_all_recipients(mail_servers: MailServers) -> None:
    """Several events and several recipients: one message, and a proper goodbye."""
    box = Mailbox()
    config = dataclasses.replace(
        PLAIN, to=("ops@example.com", "Night <night@example.com>"), port=await mail_servers.start(box)
    )
    assert await send(config) == set(config.to)
    (message,) = box.messages
    assert (
        message["Subject"] == "[healthd lb1] 3 events: web has no server left, web server 10.0.0.1:80 down and up again"
    )
    assert message["To"] == "ops@example.com, Night <night@example.com>"
    assert "Connection refused (ECONNREFUSED)" in message.get_content()
    assert box.recipients == [["ops@example.com", "night@example.com"]]
    assert box.encrypted == [False]
    assert box.goodbyes == 1


async def test_one_recipient_refused_for_good(mail_servers: MailServers, caplog: pytest.LogCaptureFixture) -> None:
    """The others have the message, it is not tried again, and the log has the server's words."""
    box = Mailbox(refused={"gone@example.com": ["550 5.1.1 no such user"]})
    config = dataclasses.replace(PLAIN, to=("gone@example.com", "ops@example.com"), port=await mail_servers.start(box))
    await send(config)
    assert box.recipients == [["ops@example.com"]]
    assert caplog.messages == [
        "alert ops: mail is not delivered to some recipients, refused: gone@example.com: 550 5.1.1 no such user"
    ]


async def test_a_recipient_refused_for_now_alone_is_tried_again(mail_servers: MailServers) -> None:
    """Greylisting of one recipient: the other does not get the message twice."""
    box = Mailbox(refused={"grey@example.com": ["450 4.2.0 greylisted"]})
    config = dataclasses.replace(PLAIN, to=("grey@example.com", "ops@example.com"), port=await mail_servers.start(box))
    sink, served = MailSink(config, ManualClock(), "lb1"), set[str]()
    with pytest.raises(NotSentError, match=r"refused for now: grey@example\.com: 450 4\.2\.0 greylisted") as caught:
        await sink.send(batch(down()), served)
    assert not caught.value.final
    await sink.send(batch(down()), served)
    assert box.recipients == [["ops@example.com"], ["grey@example.com"]]
    assert box.messages[0]["Message-ID"] == box.messages[1]["Message-ID"]


@pytest.mark.parametrize(
    ("box", "words", "final"),
    [
        (
            Mailbox(refused={"ops@example.com": ["550 no such user"]}),
            "refused: ops@example.com: 550 no such user",
            True,
        ),
        (Mailbox(refused={"ops@example.com": ["450 later"]}), "refused for now: ops@example.com: 450 later", False),
        (Mailbox(mail_answers=["553 not from you"]), "refused: 553 not from you", True),
        (Mailbox(mail_answers=["451 try later"]), "refused: 451 try later", False),
        (Mailbox(data_answers=["554 looks like spam"]), "refused: 554 looks like spam", True),
        (Mailbox(data_answers=["452 disk full"]), "refused: 452 disk full", False),
    ],
)
async def test_refusals(mail_servers: MailServers, box: Mailbox, words: str, final: bool) -> None:  # noqa: FBT001
    """A 5xx answer is final, a 4xx is not; the text has the server's words."""
    problem = await failure(dataclasses.replace(PLAIN, port=await mail_servers.start(box)))
    assert words in str(problem)
    assert problem.final is final


async def test_an_impossible_address_is_final() -> None:
    """No server is asked about an address that no server could be told."""
    problem = await failure(dataclasses.replace(PLAIN, to=("a@example.com\nBcc: b@example.com",)))
    assert problem.final
    assert str(problem).isprintable()


async def test_failures_then_success(mail_servers: MailServers, caplog: pytest.LogCaptureFixture) -> None:
    """Refused for now twice, then taken: sent once, after 5 and 10 seconds, and what waited follows in order."""
    box = Mailbox(mail_answers=["421 busy"], data_answers=["451 try later"])
    config = alert(burst=0, sink=dataclasses.replace(PLAIN, port=await mail_servers.start(box)))
    clock = ManualClock()
    channel = Channel(config, lambda _: MailSink(config.sink, clock, "lb1"), clock)  # type: ignore[arg-type]  # a MailConfig
    channel.put(down())
    channel.put(up())
    await until(lambda: len(caplog.messages) == 1)
    await clock.advance(5)
    await until(lambda: len(caplog.messages) == 2)
    await clock.advance(9.9)
    assert not box.messages
    await clock.advance(0.1)
    await until(lambda: len(box.messages) == 2)
    assert [message["Subject"].split()[-1] for message in box.messages] == ["down", "up"]
    where = f"alert ops: mail to ops@example.com by 127.0.0.1 port {config.sink.port}:"  # type: ignore[union-attr]
    assert caplog.messages == [
        f"{where} refused: 421 busy (while handing over the message); next try in 5 s",
        f"{where} refused: 451 try later (while handing over the message); next try in 10 s",
    ]
    await channel.finished()
