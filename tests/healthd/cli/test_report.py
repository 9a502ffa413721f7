from checkers.base import Code, Failed, Outcome, passed
from healthd.cli import report
from healthd.once import Round
from healthd.policy import Standing
from healthd.snapshot import CheckView, ServerView, ServiceView, Snapshot
from healthd.verdict import Health

OK = passed(Code.L4OK, "connected")
REFUSED = Failed(Code.L4CON, "refused").outcome


def server(health: Health, *checks: CheckView, address: str = "192.0.2.1", weight: int | None = 1) -> ServerView:
    return ServerView(address, 80, health, weight, 1, checks)


def view(health: Health, last: Outcome | None) -> CheckView:
    return CheckView("tcp", health, settled=True, last=last, unknowns=0)


def done(*servers: ServerView, available: int = 1, errors: tuple[str, ...] = ()) -> Round:
    service = ServiceView(
        name="web",
        virtual="198.51.100.1:80/tcp",
        standing=Standing.SERVED,
        available=available,
        fallback_active=False,
        fail_open=False,
        servers=servers,
    )
    return Round(Snapshot((service,)), (), errors, ())


def test_a_refused_edit_is_graver_than_anything() -> None:
    """The table is not what it should be, whatever the servers are: status 74, and `errors` in the JSON."""
    bad = done(server(Health.DOWN, view(Health.DOWN, REFUSED)), available=0, errors=("-A ...: no such scheduler",))
    assert report.exit_status(bad) == 74
    content = report.as_json(bad)
    assert (content["errors"], content["exit"]) == (["-A ...: no such scheduler"], 74)
    assert list(report.troubles(bad, {}))[-1] == "table: refused: -A ...: no such scheduler"


def test_json_without_errors_has_no_such_key() -> None:
    """The key is there only when it has something to say."""
    assert report.as_json(done(server(Health.UP, view(Health.UP, OK)))).keys() == {"services", "edits", "exit"}


def test_down_and_undecided_is_lost() -> None:
    """A service whose servers are down, or were never seen well, has none left."""
    down = server(Health.DOWN, view(Health.DOWN, REFUSED))
    undecided = server(Health.UNDECIDED, view(Health.UNDECIDED, None), weight=None)
    assert report.exit_status(done(down, undecided, available=0)) == 2
    assert report.exit_status(done(undecided, available=0)) == 3


def test_a_first_failure_is_shown_beside_other_troubles() -> None:
    """A server that is up in spite of a failed check is not entirely well."""
    failing = done(server(Health.UP, view(Health.UP, REFUSED)))
    assert report.exit_status(failing) == 0
    assert list(report.troubles(failing, {})) == [
        "web: server 192.0.2.1:80 is still up, but failed a check (tcp): L4CON refused"
    ]


def test_a_server_without_checks() -> None:
    """It has no last outcome: null in JSON, a dash in the table."""
    unchecked = server(Health.UP, address="2001:db8::1")
    bad = server(Health.DOWN, view(Health.DOWN, REFUSED), weight=None)
    both = done(unchecked, bad)
    assert report.as_json(both)["services"][0]["servers"][0]["last"] is None
    assert list(report.rows(both)) == [
        ("web", "198.51.100.1:80/tcp", "[2001:db8::1]:80", "up", "1", "-", "-"),
        ("", "", "192.0.2.1:80", "down", "not in table", "L4CON", "0 ms"),
    ]
