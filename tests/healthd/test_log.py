import asyncio
import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from healthd.events import Bus, ServiceLost, Started
from healthd.log import EventLog, JournalHandler, configure
from tests.healthd.alerts.making import AT, QUIESCED, down, up
from tests.support.journal import FakeJournal


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in root.handlers:
        if isinstance(handler, JournalHandler):
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def written(*events: object, log_format: str = "text", level: str = "info") -> list[str]:
    stream = io.StringIO()
    configure("json" if log_format == "json" else "text", level, stream)
    bus = Bus()
    log = EventLog(bus)
    for event in events:
        bus.publish(event)  # type: ignore[arg-type]  # events of any kind
    log.drain()
    return stream.getvalue().splitlines()


def test_a_transition_is_one_line_with_its_evidence() -> None:
    """Time, level, what changed from what to what, after which outcomes, and the table edit."""
    (line,) = written(down())
    time, level, text = line.split(" ", 2)
    assert datetime.fromisoformat(time).timestamp() == AT
    assert len(time) == len("2026-11-22T03:04:05.678+00:00")
    assert level == "WARNING"
    assert text == (
        "web: server 10.0.0.1:80 up -> down after 1 outcome of check front-page: "
        "L4CON connecting to 10.0.0.1:80: Connection refused (ECONNREFUSED)"
        f"; 2 of 3 servers available; table: {QUIESCED}"
    )


def test_severity_is_the_level() -> None:
    """Levels filter events as they do any other log line."""
    events = (up(), down(), ServiceLost(at=AT, service="web", consequence="x"))
    assert [line.split()[1] for line in written(*events)] == ["INFO", "WARNING", "CRITICAL"]
    assert [line.split()[1] for line in written(*events, level="error")] == ["CRITICAL"]


def test_json_has_the_fields_of_the_event() -> None:
    """One object in one line: time, level, message, and the event's fields under their names."""
    (line,) = written(down(), log_format="json")
    told = json.loads(line)
    assert datetime.fromisoformat(told["time"]).timestamp() == AT
    assert (told["level"], told["logger"], told["message"]) == ("WARNING", "healthd.log", down().text())
    record = down().record()
    del record["text"]
    assert {key: told[key] for key in record} == record


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_evidence_cannot_forge_a_line(log_format: str) -> None:
    """Whatever a server answered, an event is one line, without escape sequences for the terminal."""
    lines = written(
        down(detail="x\n2026-01-01T00:00:00.000+00:00 INFO all is well\r\u2028\x1b[2J"), log_format=log_format
    )
    assert len(lines) == 1
    assert lines[0].isprintable()


def test_other_libraries_are_in_the_same_form_and_named() -> None:
    """A foreign logger's line says whose it is; healthd's own need not."""
    stream = io.StringIO()
    configure("text", "info", stream)
    logging.getLogger("asyncio").warning("slow\ncallback %s", 1)
    logging.getLogger("healthd.scheduler").info("hello")
    logging.getLogger("healthd.scheduler").debug("not shown")
    first, second = stream.getvalue().splitlines()
    assert first.endswith("WARNING asyncio: slow\\ncallback 1")
    assert second.endswith(" INFO hello")


def test_a_traceback_begins_no_line() -> None:
    """The lines of a traceback are indented, and in JSON a list: an exception's text cannot forge a line."""
    stream = io.StringIO()
    for log_format in ("text", "json"):
        configure("json" if log_format == "json" else "text", "info", stream)
        try:
            raise ValueError("bad\n2026-01-01T00:00:00.000+00:00 INFO all is well")  # noqa: TRY301 - to be logged
        except ValueError:
            logging.getLogger("healthd").exception("check raised")
    text, last = stream.getvalue().rsplit("\n", 2)[:2]
    first, *others = text.splitlines()
    assert first.endswith("ERROR check raised")
    assert all(line.startswith("    ") for line in others)
    assert json.loads(last)["traceback"][-1].endswith("INFO all is well")


def test_configuring_twice_writes_once() -> None:
    """The last configuration holds; no line is written twice."""
    written(up())
    assert len(written(up())) == 1


async def test_what_was_published_is_written_before_the_end() -> None:
    """Cancelling the log loses no line, and what was published before it ran is in it."""
    stream = io.StringIO()
    configure("text", "info", stream)
    bus = Bus()
    log = EventLog(bus)
    bus.publish(Started(at=AT, version="1", services=1, servers=2))
    task = asyncio.create_task(log.run())
    await asyncio.sleep(0)
    bus.publish(down())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [line.split()[1] for line in stream.getvalue().splitlines()] == ["INFO", "WARNING"]


def test_lost_events_are_counted() -> None:
    """A log that fell behind says how much is missing."""
    lines = written(*[up()] * 10_003)
    assert lines[0].endswith("ERROR 3 events came too fast to be logged")
    assert len(lines) == 10_001


def test_an_entry_of_the_journal_has_the_fields_of_the_event(tmp_path: Path) -> None:
    """`journalctl HEALTHD_SERVICE=web HEALTHD_KIND=server_down` finds it; the codes are fields too."""
    with FakeJournal(tmp_path / "journal") as journal:
        assert configure("journal", "info", io.StringIO(), journal.path) == ""
        logging.getLogger("healthd.log").log(30, "%s", down().text(), extra={"event": down()})
        (entry,) = journal.entries()
    told = {
        "MESSAGE": down().text(),
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "healthd",
        "HEALTHD_LOGGER": "healthd.log",
        "HEALTHD_KIND": "server_down",
        "HEALTHD_SERVICE": "web",
        "HEALTHD_SERVER": "10.0.0.1:80",
        "HEALTHD_CHECK": "front-page",
        "HEALTHD_OLD": "up",
        "HEALTHD_NEW": "down",
        "HEALTHD_CODE": "L4CON",
        "HEALTHD_STATUS": "fail",
        "HEALTHD_EDITS": QUIESCED,
        "HEALTHD_AVAILABLE": "2",
        "HEALTHD_CONFIGURED": "3",
    }
    assert {name: entry[name] for name in told} == {name: [value] for name, value in told.items()}
    assert datetime.fromisoformat(entry["HEALTHD_TIME"][0]).timestamp() == AT


@pytest.mark.parametrize(
    ("level", "priority"), [(10, "7"), (20, "6"), (25, "7"), (30, "4"), (40, "3"), (50, "2")], ids=str
)
def test_priorities_of_the_journal(tmp_path: Path, level: int, priority: str) -> None:
    """Those of syslog(3); a level that is none of the known is no reason to alarm anyone."""
    with FakeJournal(tmp_path / "journal") as journal:
        configure("journal", "debug", io.StringIO(), journal.path)
        logging.getLogger("healthd").log(level, "hello")
        assert journal.entries()[0]["PRIORITY"] == [priority]


def test_evidence_cannot_forge_a_field(tmp_path: Path) -> None:
    """A line break in a value does not begin another field."""
    with FakeJournal(tmp_path / "journal") as journal:
        configure("journal", "info", io.StringIO(), journal.path)
        event = down(detail="x\nPRIORITY=0\nMESSAGE=all is well")
        logging.getLogger("healthd").warning("%s", event.text(), extra={"event": event})
        (entry,) = journal.entries()
    assert entry["PRIORITY"] == ["4"]
    assert entry["HEALTHD_DETAIL"] == ["x\nPRIORITY=0\nMESSAGE=all is well"]
    assert "\n" not in entry["MESSAGE"][0]


def test_without_a_journal_the_log_is_text_on_stderr(tmp_path: Path) -> None:
    """What is returned says so, for whoever starts the process."""
    stream = io.StringIO()
    said = configure("journal", "info", stream, tmp_path / "journal")
    assert said == (
        f'log_format = "journal": no journal at {tmp_path}/journal (No such file or directory), '
        "so the log goes to stderr"
    )
    logging.getLogger("healthd").info("hello")
    assert stream.getvalue().endswith(" INFO hello\n")


def test_a_journal_that_goes_away_costs_no_line(tmp_path: Path) -> None:
    """While it cannot be reached lines go to stderr, and back to it when it is there again."""
    stream = io.StringIO()
    path = tmp_path / "journal"
    with FakeJournal(path):
        configure("journal", "info", stream, path)
    path.unlink()
    logging.getLogger("healthd").info("alone")
    assert stream.getvalue().endswith(" INFO alone\n")
    with FakeJournal(path) as journal:
        logging.getLogger("healthd").info("again")
        assert [entry["MESSAGE"] for entry in journal.entries()] == [["again"]]
    assert stream.getvalue().count("\n") == 1


def test_a_journal_that_does_not_read_is_not_waited_for(tmp_path: Path) -> None:
    """What does not fit is left out, and how much that was is said once it reads again."""
    with FakeJournal(tmp_path / "journal") as journal:
        configure("journal", "info", io.StringIO(), journal.path)
        for number in range(5000):
            logging.getLogger("healthd").info("%d", number)
        kept = len(journal.entries())
        logging.getLogger("healthd").info("again")
        said = [entry["MESSAGE"][0] for entry in journal.entries()]
    assert said == [f"{5000 - kept} log entries are missing here: the journal did not keep up", "again"]
