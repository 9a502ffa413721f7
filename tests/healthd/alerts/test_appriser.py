from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthd.alerts.appriser import AppriseSink, masked
from healthd.alerts.sink import NotSentError
from healthd.clock import Clock, ManualClock, settle
from healthd.config.values import AppriseConfig
from tests.healthd.alerts.hookserver import Receiver
from tests.healthd.alerts.making import batch, down, until

pytest.importorskip("apprise", reason='Apprise is not installed (pip install "healthd[apprise]")')

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise's own


PATIENT = "cto=60&rto=60"
"""Apprise itself waits for 4 s otherwise, which a busy machine may take."""


def sink(folder: Path, *urls: str, clock: Clock | None = None) -> AppriseSink:
    (folder / "urls").write_text("# a comment\n\n" + "\n".join(urls) + "\n")
    return AppriseSink(AppriseConfig(urls_file=folder / "urls"), clock or ManualClock(), "lb1")


async def failure(sink: AppriseSink, served: set[str] | None = None) -> NotSentError:
    with pytest.raises(NotSentError) as caught:
        await sink.send(batch(down()), set() if served is None else served)
    return caught.value


async def test_a_message_by_a_real_service(receiver: Receiver, tmp_path: Path) -> None:
    """Apprise's own JSON notification: title, text and how grave it is."""
    url = f"json://127.0.0.1:{receiver.port}/told?{PATIENT}"
    assert await sink(tmp_path, url).send(batch(down()), set()) == "taken by json"
    told = json.loads(receiver.received[0].body)
    assert (told["title"], told["type"]) == ("[healthd lb1] web: server 10.0.0.1:80 down", "warning")
    assert "Connection refused (ECONNREFUSED)" in told["message"]


async def test_who_has_it_is_left_out_the_next_time(receiver: Receiver, tmp_path: Path) -> None:
    """Two URLs, of which one fails once: each gets the message once."""
    base = f"json://127.0.0.1:{receiver.port}"
    telling = sink(tmp_path, f"{base}/a?{PATIENT}", f"{base}/b?{PATIENT}")
    receiver.answers = [(200, {}), (500, {})]
    served: set[str] = set()
    problem = await failure(telling, served)
    assert not problem.final
    assert str(problem).startswith(f"apprise: line 4 of {tmp_path}/urls (json): ")
    await telling.send(batch(down()), served)
    assert [got.path for got in receiver.received] == ["/a", "/b"]


class Root(logging.Handler):
    """What would be healthd's log, with everything that comes to it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@pytest.fixture
def root() -> Iterator[Root]:
    handler, logger = Root(), logging.getLogger()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before)


async def test_nothing_secret_is_said(receiver: Receiver, tmp_path: Path, root: Root) -> None:
    """Neither by Apprise and its libraries nor by what it is reported to have said."""
    receiver.answers = [(403, {})]
    url = f"json://ada:PASSW0RD@127.0.0.1:{receiver.port}/T0KEN?{PATIENT}"
    said = f"{await failure(sink(tmp_path, url))} {await failure(sink(tmp_path, 'nonsense://T0KEN'))}"
    assert "no URL that apprise knows" in said
    for secret in ("PASSW0RD", "T0KEN"):
        assert secret not in said
        assert secret not in "".join(root.texts)
    logging.getLogger().debug("heard")
    assert "heard" in root.texts
    assert masked("cannot reach discord T0KEN", "discord://T0KEN/x") == "cannot reach *** ***"


async def test_a_thread_that_hangs_is_not_joined_by_others(receiver: Receiver, tmp_path: Path) -> None:
    """The deadline is kept although a thread cannot be killed, and until it has ended nothing else is started."""
    receiver.answers = [None]
    clock = ManualClock()
    telling = sink(tmp_path, f"json://127.0.0.1:{receiver.port}/?{PATIENT}", clock=clock)
    trying = asyncio.create_task(failure(telling))
    await until(lambda: receiver.hanging)
    await clock.advance(30)
    assert str(await trying) == "apprise: not done within 30 s"
    assert str(await failure(telling)) == "apprise: the try before this one has not ended yet"
    await receiver.stop()
    await until(lambda: telling._running is not None and telling._running.done())
    await settle()


async def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message says how to get it."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    said = str(await failure(sink(tmp_path, "json://localhost/")))
    assert said == 'apprise is not installed; it comes with the extra: pip install "healthd[apprise]"'


@pytest.mark.parametrize(
    ("content", "said"), [("", "holds no URL"), ("x" * 70_000, "has more than 65536 bytes"), (None, "No such file")]
)
async def test_a_bad_file(tmp_path: Path, content: str | None, said: str) -> None:
    """May be mended: it is tried again."""
    telling = sink(tmp_path)
    (tmp_path / "urls").unlink()
    if content is not None:
        (tmp_path / "urls").write_text(content)
    problem = await failure(telling)
    assert said in str(problem)
    assert not problem.final
