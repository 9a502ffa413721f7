"""Why a server was in its state at a time in the past."""

from types import SimpleNamespace
from typing import Any

import pytest

from healthd.control import recalling
from healthd.control.recalling import Past
from tests.support.building import check, service

NOW = 1_800_000_000.0
EDIT = "-e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 0"


def event(number: int, kind: str, **more: Any) -> dict[str, Any]:
    """The older, the less its number, which is how many minutes it is after the first."""
    return {"id": number, "kind": kind, "at": NOW - 600 + 60 * number, "text": f"{kind} {number}", **more}


def down(number: int) -> dict[str, Any]:
    outcome = {"status": "fail", "code": "L4CON", "detail": "refused", "seconds": 0.0012}
    return event(number, "server_down", new="down", check="tcp", outcomes=[outcome], edits=[EDIT])


def up(number: int) -> dict[str, Any]:
    return event(number, "server_up", new="up", check="tcp", outcomes=[], edits=[])


def explained(found: Any = None, held: Any = None, began: Any = None, weighed: Any = None) -> dict[str, Any]:
    view: Any = SimpleNamespace(name="web")
    server: Any = SimpleNamespace(name="10.0.0.1:80")
    return recalling.then(view, server, service(checks=(check(),)), NOW, Past(found, held, began, weighed))


def test_by_what_was_told_then() -> None:
    """The outcomes that decided, the rule and the edits."""
    then = explained(down(9))
    assert (then["state"], then["since"], then["edits"]) == ("down", NOW - 60, [EDIT])
    assert then["text"][0] == "web/10.0.0.1:80 was down at 2027-01-15 08:00:00 UTC, since 2027-01-15 07:59:00 UTC"
    assert "outcome: fail L4CON (refused) in 1 ms" in then["text"]
    assert then["rule"] == "check tcp: 2 passes in a row bring it back (rise = 2)"


def test_where_nothing_is_on_record() -> None:
    """It is said, and no state made up."""
    then = explained()
    assert (then["state"], then["since"], then["event"], then["acts"]) == ("unknown", None, None, [])
    assert "nothing is known of web/10.0.0.1:80" in then["text"][0]


@pytest.mark.parametrize(
    ("held", "state", "since"),
    [
        (event(5, "drain_began"), "drain", 5),
        (event(5, "drain_ended", cause="done"), "drain", 5),
        (event(5, "drain_ended", cause="cut"), "drain", 5),
        (event(5, "drain_ended", cause="ready"), "up", 2),
        (event(5, "maintenance_began"), "maintenance", 5),
        (event(5, "maintenance_ended", cause="ready"), "unknown", 5),
        (event(1, "maintenance_ended", cause="over"), "up", 2),
    ],
)
def test_what_operators_had_set(held: dict[str, Any], state: str, since: int) -> None:
    """It comes before what the checks found, until it was ended; after maintenance they begin anew."""
    then = explained(up(2), held)
    assert (then["state"], then["since"]) == (state, NOW - 600 + 60 * since)
    assert bool(then["acts"]) is (state != "up")


def test_what_was_found_while_it_was_held_is_told_too() -> None:
    """With the evidence, and with the rule that would have brought it back."""
    then = explained(down(7), event(5, "maintenance_began"))
    assert (then["state"], then["event"]["kind"]) == ("maintenance", "server_down")
    assert "was in maintenance at" in then["text"][0]
    assert "2 passes in a row" in then["rule"]


def test_a_weight_that_was_set() -> None:
    """Is told until the configured one was set again."""
    assert explained(up(2), weighed=event(4, "weight_set", weight="50%"))["acts"] == [
        "2027-01-15 07:54:00 UTC: weight_set 4"
    ]
    assert explained(up(2), weighed=event(4, "weight_set", weight=""))["acts"] == []


def test_a_drain_that_is_done_says_who_began_it() -> None:
    """Since then it was drained; what became of it is told too, and one that only began is told once."""
    began, done = event(3, "drain_began"), event(5, "drain_ended", cause="done")
    then = explained(up(2), done, began)
    assert then["since"] == NOW - 600 + 60 * 3
    assert [act.split(": ")[1] for act in then["acts"]] == ["drain_began 3", "drain_ended 5"]
    assert len(explained(up(2), began, began)["acts"]) == 1
