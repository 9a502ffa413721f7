from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from healthd.systemd.journal import Journal, encoded
from tests.support.journal import FakeJournal


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[FakeJournal]:
    with FakeJournal(tmp_path / "journal") as journal:
        yield journal


def test_fields_are_lines_and_what_has_line_breaks_has_its_length() -> None:
    """The bytes of the protocol: NAME=value, or NAME, the length in 64 bits little-endian, and the value."""
    assert encoded([("MESSAGE", "ein läufer"), ("PRIORITY", "4")]) == "MESSAGE=ein läufer\nPRIORITY=4\n".encode()
    assert encoded([("MESSAGE", "a\nb=c")]) == b"MESSAGE\n\5\0\0\0\0\0\0\0a\nb=c\n"
    assert encoded([("A", "\udcff")]) == b"A=\\udcff\n"


def test_an_entry_is_a_datagram(listener: FakeJournal) -> None:
    """What goes in comes out."""
    with closing(Journal(listener.path)) as journal:
        journal.send(encoded([("MESSAGE", "one")]))
        journal.send(encoded([("MESSAGE", "two\nlines")]))
    assert listener.entries() == [{"MESSAGE": ["one"]}, {"MESSAGE": ["two\nlines"]}]


def test_one_that_is_too_long_is_a_sealed_file(listener: FakeJournal) -> None:
    """Nothing is cut off, and the file cannot be changed any more by the time that it is read."""
    with closing(Journal(listener.path)) as journal:
        journal.send(encoded([("MESSAGE", "x" * 2_000_000)]))
    assert listener.entries() == [{"MESSAGE": ["x" * 2_000_000]}]
    assert listener.sealed


def test_one_that_does_not_read_is_not_waited_for(listener: FakeJournal) -> None:
    """The queue of a datagram socket is short; what does not fit is an error at once."""
    with closing(Journal(listener.path)) as journal, pytest.raises(BlockingIOError):
        fill(journal)


def fill(journal: Journal) -> None:
    for _ in range(100_000):
        journal.send(b"MESSAGE=x\n")


def test_a_journal_that_was_started_anew_is_found_again(tmp_path: Path) -> None:
    """Its socket is another one under the same name."""
    path = tmp_path / "journal"
    with FakeJournal(path):
        journal = Journal(path)
    with closing(journal):
        path.unlink()
        with pytest.raises(FileNotFoundError):
            journal.send(b"MESSAGE=lost\n")
        with FakeJournal(path) as listener:
            journal.send(b"MESSAGE=again\n")
            assert listener.entries() == [{"MESSAGE": ["again"]}]


def test_without_a_journal_there_is_none(tmp_path: Path) -> None:
    """Whoever wants to log there hears of it at once, and nothing stays open."""
    with pytest.raises(FileNotFoundError):
        Journal(tmp_path / "journal")
