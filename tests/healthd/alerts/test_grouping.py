from healthd.alerts.grouping import MOST_MESSAGES, messages
from healthd.events import Event, TableError
from tests.healthd.alerts.making import AT, down, lost, recovered, up


def test_one_service_and_one_cause_are_one_message() -> None:
    """Servers that failed alike are told together, with what it means for the service; another cause is another one."""
    refused = [down(f"10.0.0.{n}:80") for n in range(3)]
    broken = down("10.0.0.9:80", detail="no such page")
    assert messages([*refused, broken, lost()]) == [(*refused, lost()), (broken,)]


def test_services_are_told_apart() -> None:
    """Each service has its message, in the order in which they failed."""
    assert messages([down(), down(service="mail"), lost("mail")]) == [
        (down(),),
        (down(service="mail"), lost("mail")),
    ]


def test_what_is_about_one_server_stays_together() -> None:
    """Its failure names the cause, although its end has another outcome."""
    other = down("10.0.0.2:80")
    assert messages([down(), other, up()]) == [(down(), other, up())]


def test_what_is_about_no_server() -> None:
    """A service alone, and what is about no service."""
    error = TableError(at=AT, errors=("e",), retry_in=1)
    assert messages([recovered(), error]) == [(recovered(),), (error,)]


def test_mass_failure_is_one_digest() -> None:
    """More than a handful of messages at a time are one, with everything in it."""
    events: list[Event] = [down(service=f"s{n}") for n in range(MOST_MESSAGES)]
    assert len(messages(events)) == MOST_MESSAGES
    events.append(lost("s9"))
    assert messages(events) == [tuple(events)]
