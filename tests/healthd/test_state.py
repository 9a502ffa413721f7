from __future__ import annotations

import pytest

from checkers.base import Code, Outcome, Status
from checkers.command import Command
from healthd.config.values import ServiceConfig
from healthd.model import Destination, VirtualService
from healthd.state import CheckRecord, ServerRecord, adopted, carried_over
from healthd.tally import Repeated
from healthd.verdict import Health, Verdict
from healthd.weights import AS_USUAL, Wish
from tests.support.building import FAIL, LOST, PASS, UNKNOWN, A, B, check, outcomes, server, service

TWO = [check("tcp"), check("http")]
SIXTY = Outcome(Status.PASS, Code.PROCOK, weight=60)


def one_server(config: ServiceConfig, weight: int | None) -> ServerRecord:
    """The record of A, adopted from a table that has it with `weight`, or not at all."""
    destinations = {} if weight is None else {A: Destination(weight=weight)}
    return adopted(config, VirtualService(destinations=destinations), 0.0).servers[A]


def the(server: ServerRecord, name: str) -> CheckRecord:
    found = server.check(name)
    assert found is not None
    return found


def feed(server: ServerRecord, name: str, letters: str) -> None:
    for outcome in outcomes(letters):
        the(server, name).take(outcome)


@pytest.mark.parametrize(
    ("weight", "health", "found"),
    [(1, Health.UP, True), (0, Health.UNDECIDED, True), (None, Health.UNDECIDED, False)],
)
def test_rule_3_of_the_design_the_table_is_adopted(weight: int | None, health: Health, found: bool) -> None:  # noqa: FBT001 - the expected value
    """Found with weight is up, in each of its checks; found at weight 0, or not found, is to be decided."""
    record = one_server(service(A, checks=TWO), weight)
    assert (record.health, record.told, record.found) == (health, health, found)
    assert {entry.verdict.health for entry in record.checks} == {health}


def test_an_adopted_server_with_several_checks_falls_with_the_first_of_them() -> None:
    """One check that is down decides, whatever the others say."""
    record = one_server(service(A, checks=TWO), 1)
    feed(record, "tcp", "PPP")
    feed(record, "http", "FFF")
    assert record.health is Health.DOWN


def test_an_undecided_server_with_several_checks_waits_for_all_of_them() -> None:
    """A server is up when the last of its checks has passed; the first that fails puts it down."""
    record = one_server(service(A, checks=TWO), 0)
    seen = []
    for name in ("tcp", "http"):
        feed(record, name, "P")
        seen.append(record.health)
    assert seen == [Health.UNDECIDED, Health.UP]
    other = one_server(service(A, checks=TWO), 0)
    feed(other, "tcp", "F")
    assert other.health is Health.DOWN


def test_a_server_without_checks_is_up() -> None:
    """Nothing speaks against it, and its weight is the configured one from the start."""
    record = one_server(service(A, checks=[]), None)
    assert record.health is Health.UP
    assert record.weighed.wish is None


def test_the_weight_found_is_kept_until_the_checks_have_passed() -> None:
    """Nobody gets more traffic unchecked than there was: a wish of the time before a restart survives it."""
    record = one_server(service(server(A, 100), checks=TWO), 7)
    feed(record, "tcp", "PUF")
    feed(record, "http", "UF")
    record.weigh(AS_USUAL, 0.0)
    assert record.weighed.wish == 7
    feed(record, "http", "P")
    record.weigh(AS_USUAL, 0.0)
    assert record.weighed.wish is None


def test_a_wish_lasts_until_the_next_outcome_that_passed() -> None:
    """What could not be asked, or failed, says nothing of the weight."""
    record = CheckRecord(check(), Verdict(Health.UP))
    record.take(Outcome(Status.PASS, Code.L7OK, weight=10))
    for outcome in (UNKNOWN, FAIL, UNKNOWN):
        record.take(outcome)
        assert record.asks == Wish(10)
    record.take(PASS)
    assert record.asks == Wish()


def test_the_smallest_wish_counts() -> None:
    """Of several checks the one that asks for least is heard."""
    record = one_server(service(A, checks=TWO), 1)
    for name, weight in (("tcp", 30), ("http", 0)):
        the(record, name).take(Outcome(Status.PASS, Code.L7OK, weight=weight))
    record.weigh(AS_USUAL, 0.0)
    assert record.weighed.wish == 0


def test_a_weight_that_was_found_does_not_add_up() -> None:
    """What keepalived's scripts ask for adds up once they have said it, even if it is just that weight."""
    dynamic = Command(command=("/bin/true",), style="keepalived", dynamic=True)
    pair = [check(name, checker=dynamic) for name in ("one", "two")]
    record = one_server(service(server(A, 100), checks=pair), 60)
    found = []
    for name, outcome in (("one", UNKNOWN), ("one", SIXTY), ("two", UNKNOWN), ("two", SIXTY)):
        if not the(record, name).goes_on(outcome):
            the(record, name).take(outcome)
        record.weigh(AS_USUAL, 0.0)
        found.append(record.weighed.wish)
    assert found == [60, 60, 60, 20]


def test_unknown_outcomes_are_counted() -> None:
    """All of them, and those in a row."""
    record = CheckRecord(check(), Verdict(Health.UP))
    for outcome in outcomes("UUPUUU"):
        record.take(outcome)
    assert (record.unknowns, record.unknowns_in_a_row, record.last) == (5, 3, UNKNOWN)


def test_those_of_a_lost_worker_are_not_in_a_row() -> None:
    """They are counted, and neither begin a row of unknown outcomes nor end one."""
    record = CheckRecord(check(), Verdict(Health.UP))
    rows = []
    for outcome in outcomes("WUWUPW"):
        record.take(outcome)
        rows.append(record.unknowns_in_a_row)
    assert (rows, record.unknowns, record.last) == ([0, 1, 1, 2, 0, 0], 5, LOST)


def test_an_unchanged_check_keeps_its_state() -> None:
    """Rule 7 of the design: also the failures counted so far."""
    before = adopted(service(A), VirtualService(destinations={A: Destination()}), 0.0)
    feed(before.servers[A], "tcp", "FF")
    after = carried_over(before, service(server(A, 9), B), 1.0)
    assert the(after.servers[A], "tcp") is the(before.servers[A], "tcp")
    feed(after.servers[A], "tcp", "F")
    assert after.servers[A].health is Health.DOWN
    assert after.servers[A].config.destination.weight == 9


def test_a_changed_check_goes_on_from_where_it_stands() -> None:
    """Rule 7 of the design: its health stays, its count begins anew."""
    before = adopted(service(A), VirtualService(destinations={A: Destination()}), 0.0)
    feed(before.servers[A], "tcp", "FFU")
    after = carried_over(before, service(A, checks=[check(fall="2")]), 1.0)
    assert the(after.servers[A], "tcp").verdict == Verdict(Health.UP)
    assert the(after.servers[A], "tcp").unknowns == 1
    feed(after.servers[A], "tcp", "F")
    assert after.servers[A].health is Health.UP
    feed(after.servers[A], "tcp", "F")
    assert after.servers[A].health is Health.DOWN


@pytest.mark.parametrize("name", ["tcp", "other"])
def test_a_server_that_is_down_earns_its_return_from_a_changed_or_another_check(name: str) -> None:
    """Neither a new setting nor a new name of its check puts a server back untested: it has to pass `rise` times."""
    before = adopted(service(A), VirtualService(destinations={A: Destination()}), 0.0)
    feed(before.servers[A], "tcp", "FFF")
    after = carried_over(before, service(A, checks=[check(name, fall="5")]), 1.0)
    assert after.servers[A].health is Health.DOWN
    feed(after.servers[A], name, "P")
    assert after.servers[A].health is Health.DOWN
    feed(after.servers[A], name, "P")
    assert after.servers[A].health is Health.UP


def test_without_the_check_that_failed_a_server_is_as_the_others_found_it() -> None:
    """A check that is removed takes its verdict with it, as long as another has been asked."""
    before = adopted(service(A, checks=TWO), VirtualService(destinations={A: Destination()}), 0.0)
    feed(before.servers[A], "tcp", "P")
    feed(before.servers[A], "http", "FFF")
    assert carried_over(before, service(A, checks=TWO[:1]), 1.0).servers[A].health is Health.UP


def test_a_check_never_carried_out_does_not_put_a_server_back() -> None:
    """A server that is down is not put back untested when the check that failed is removed."""
    before = adopted(service(A, checks=TWO), VirtualService(destinations={A: Destination()}), 0.0)
    feed(before.servers[A], "http", "FFF")
    after = carried_over(before, service(A, checks=TWO[:1]), 1.0)
    assert after.servers[A].health is Health.DOWN
    feed(after.servers[A], "tcp", "PP")
    assert after.servers[A].health is Health.UP


def test_a_new_check_of_a_good_server_takes_nothing_from_it() -> None:
    """It goes on being up until the new check, too, has failed `fall` times."""
    before = adopted(service(A, checks=TWO[:1]), VirtualService(destinations={A: Destination()}), 0.0)
    feed(before.servers[A], "tcp", "P")
    after = carried_over(before, service(A, checks=TWO), 1.0)
    feed(after.servers[A], "http", "FF")
    assert after.servers[A].health is Health.UP
    feed(after.servers[A], "http", "F")
    assert after.servers[A].health is Health.DOWN


def test_what_begins_anew_has_no_cause() -> None:
    """A server out of maintenance is undecided: what put it down before is not why it waits."""
    record = one_server(service(A), 1)
    feed(record, "tcp", "FFF")
    assert the(record, "tcp").cause == FAIL
    record.begin_anew()
    assert the(record, "tcp").cause is None


def test_a_new_server_is_undecided_and_not_in_the_table() -> None:
    """It is decided by its first outcome."""
    before = adopted(service(A), VirtualService(destinations={A: Destination()}), 0.0)
    after = carried_over(before, service(A, B), 1.0)
    assert (after.servers[B].health, after.servers[B].found) == (Health.UNDECIDED, False)
    assert after.servers[A].health is Health.UP


def test_what_a_worker_held_back_is_added_up() -> None:
    """As if each had come by itself, but for how long the longest took."""
    record = CheckRecord(check("tcp"), Verdict())
    record.note(FAIL, 5.0)
    for status, times in ((Status.FAIL, 4), (Status.PASS, 2)):
        repeated = Repeated(status, "L4")
        for _ in range(times):
            repeated.durations.add(0.125, {"connect": 0.1})
        record.note_many(repeated)
    assert (record.count, record.fails, record.seconds) == (7, 4, FAIL.seconds + 0.75)
    assert (record.longest, record.last_at) == (FAIL.seconds, 5.0)
