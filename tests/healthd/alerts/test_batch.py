from hypothesis import given
from hypothesis import strategies as st

from healthd.alerts.batch import fold, subject
from healthd.events import Event, ServerEvent, Severity, TableEdited, TableError, TableRestored
from tests.healthd.alerts.making import AT, down, lost, recovered, up

servers = st.sampled_from(["10.0.0.1:80", "10.0.0.2:80", "[2001:db8::1]:80"])
services = st.sampled_from(["web", "mail"])
server_events: st.SearchStrategy[Event] = st.builds(
    lambda kind, server, service: kind(server, service), st.sampled_from([down, up]), servers, services
)
service_events: st.SearchStrategy[Event] = st.builds(
    lambda kind, service: kind(service), st.sampled_from([lost, recovered]), services
)
events = st.lists(server_events | service_events, min_size=1, max_size=30)


@given(events)
def test_every_event_is_in_exactly_one_line(happened: list[Event]) -> None:
    """Folding loses nothing and invents nothing."""
    told = [event for line in fold(happened) for event in line.events]
    assert sorted(map(id, told)) == sorted(map(id, happened))


@given(events)
def test_no_final_state_is_lost(happened: list[Event]) -> None:
    """Each server has one line, and the line ends with what happened to the server last."""
    final = {subject(event): event for event in happened}
    lines = fold(happened)
    assert {subject(line.last): line.last for line in lines} == final
    assert len(lines) == len(final)


@given(events)
def test_the_worst_comes_first(happened: list[Event]) -> None:
    """Lines are ordered by what holds at their end, not by what came and went."""
    severities = [line.severity for line in fold(happened)]
    assert severities == sorted(severities, reverse=True)


def test_a_server_that_goes_and_returns_is_one_line() -> None:
    """Down and up of one server is one line, its order kept; another server has its own."""
    first, second, other = down(), up(), down("10.0.0.2:80")
    lines = fold([first, other, second])
    assert [line.events for line in lines] == [(other,), (first, second)]
    assert lines[1].severity is Severity.INFO
    assert lines[1].worst is Severity.WARNING


def test_a_service_lost_and_recovered_is_one_line() -> None:
    """Losing the last server and having one again are about the same thing."""
    assert len(fold([lost(), recovered()])) == 1
    assert len(fold([lost(), recovered("mail")])) == 2


def test_events_of_the_table_are_folded_only_where_one_answers_the_other() -> None:
    """A table error and its end belong together; two different edits do not."""
    error = TableError(at=AT, errors=("no such process",), retry_in=1)
    assert len(fold([error, TableRestored(at=AT)])) == 1
    assert len(fold([TableEdited(at=AT, edits=("-A",)), TableEdited(at=AT, edits=("-D",))])) == 2


def test_the_same_server_in_two_services_is_two_subjects() -> None:
    """A machine may be well for one service and sick for another."""
    sick: ServerEvent = down(service="web")
    assert subject(sick) != subject(down(service="mail"))
