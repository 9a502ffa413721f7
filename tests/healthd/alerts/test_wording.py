import os
import re
import time
from collections.abc import Iterator

import pytest

from healthd.alerts.notices import TOLD
from healthd.alerts.wording import HEADLINE_LIMIT, PHRASES, body, headline, local_time
from healthd.events import CheckAsked, CheckUnknown, Event, FallbackIn, ReloadFailed, TableDrift
from tests.healthd.alerts.making import AT, FINE, QUIESCED, batch, down, lost, recovered, up


@pytest.fixture(autouse=True)
def _berlin() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def test_the_words_are_those_of_events_that_exist() -> None:
    """No phrase is left over; a kind without one is told in its own words."""
    assert {state.removesuffix(" after all") for state in PHRASES} <= set(TOLD)
    assert "check_asked" not in PHRASES
    asked = CheckAsked(at=AT, service="web", who="ada", servers=("10.0.0.1:80",))
    assert headline(batch(asked)) == asked.text()


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([down()], "web: server 10.0.0.1:80 down"),
        ([up("[2001:db8::1]:80")], "web: server [2001:db8::1]:80 up"),
        ([down(), up()], "web: server 10.0.0.1:80 down and up again"),
        ([down(), up(), down(), up()], "web: server 10.0.0.1:80 down and up again (2 times)"),
        ([down(), up(), down()], "web: server 10.0.0.1:80 down (2 times)"),
        ([lost()], "web: has no server left"),
        ([lost(), recovered()], "web: had no server left and has one again"),
        ([ReloadFailed(at=AT, errors=("x",))], "configuration not reloaded"),
        ([FallbackIn(at=AT, service="web", fallback="127.0.0.1:80")], "web: fallback server 127.0.0.1:80 in use"),
    ],
)
def test_one_subject_is_named(events: list[Event], text: str) -> None:
    """The headline of a message about one thing says which, what holds now, and what came before."""
    assert headline(batch(*events)) == text


def test_many_subjects_are_counted_the_worst_first() -> None:
    """Equal things are counted, single ones named; what is critical stands before what is not."""
    events = [up("10.0.0.9:80"), *(down(f"10.0.0.{n}:80") for n in (1, 2, 3)), lost()]
    assert headline(batch(*events)) == "5 events: web has no server left, 3 servers down, web server 10.0.0.9:80 up"


def test_a_headline_stays_short_and_on_one_line() -> None:
    """However many services there are and whatever they are called."""
    events = [
        CheckUnknown(at=AT, service="s" * 80, server="10.0.0.1:80", check="x", outcome=FINE),
        TableDrift(at=AT, service="evil\r\nBcc: all@example.com", differences=("weight 1 to 0",)),
        lost("t" * 80),
    ]
    text = headline(batch(*events))
    assert text.isprintable()
    assert len(text) == HEADLINE_LIMIT


def test_a_line_of_the_body_holds_time_evidence_and_edit() -> None:
    """A single event is one line with the local time, after which outcomes, and the table edit."""
    text = body(batch(down()), "lb1").splitlines()
    assert text[0].startswith("2027-01-15T09:00:00+01:00 WARNING web: server 10.0.0.1:80 up -> down after 1 outcome ")
    assert "Connection refused (ECONNREFUSED)" in text[0]
    assert QUIESCED in text[0]
    assert text[1:] == ["", "-- healthd on lb1, alert ops"]


def test_a_folded_line_is_followed_by_its_events() -> None:
    """Down and up again is told in one line, with both events and their times below it."""
    text = body(batch(down(at=AT), up(at=AT + 4)), "lb1").splitlines()
    assert text[0] == (
        "2027-01-15T09:00:04+01:00 INFO web: server 10.0.0.1:80 down and up again; "
        "2 events since 2027-01-15T09:00:00+01:00:"
    )
    assert re.match(r"    2027-01-15T09:00:00\+01:00 WARNING web: server 10.0.0.1:80 up -> down ", text[1])
    assert re.match(r"    2027-01-15T09:00:04\+01:00 INFO web: server 10.0.0.1:80 down -> up ", text[2])


def test_endless_flapping_is_shortened_and_counted() -> None:
    """The first and the last events are shown, and how many stand between them."""
    text = body(batch(*[down(), up()] * 50), "lb1").splitlines()
    assert len(text) == 1 + 7 + 2
    assert text[4] == "    ... 94 more ..."
    assert "down and up again (50 times)" in text[0]


def test_what_is_in_no_message_is_said() -> None:
    """A message after a loss says how many events its reader has not been told."""
    assert "\n17 earlier events are in no message" in body(batch(down(), lost=17), "lb1")
    assert "earlier" not in body(batch(down()), "lb1")


def test_evidence_cannot_forge_a_line() -> None:
    """What a server answered stays within its own line."""
    text = body(batch(down(detail="x\n2027-01-15T09:00:00 INFO web: all is well\x1b[2J")), "lb1")
    assert len(text.splitlines()) == 3
    assert "\x1b" not in text


def test_time_is_local_with_its_offset() -> None:
    """The reader's clock, and no doubt about the zone."""
    assert local_time(AT) == "2027-01-15T09:00:00+01:00"
