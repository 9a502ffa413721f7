from healthd.cli import answers
from healthd.cli.top.frame import KEPT, Samples
from tests.support import control_answers as made


def taken(samples: Samples, at: float, age: float, *servers: str) -> None:
    found = [made.server(name, checks=[made.check(age=age)]) for name in servers]
    samples.take(answers.status(made.status(made.service(*found), at=at)))


def test_an_outcome_counts_once() -> None:
    """However often the daemon is asked, and however its age is rounded."""
    samples = Samples()
    taken(samples, 100.0, 1.0, "10.0.0.1")
    taken(samples, 101.0, 2.003, "10.0.0.1")
    taken(samples, 102.0, 0.5, "10.0.0.1")
    assert [at for at, _ in samples.frozen()["web", "10.0.0.1:80"]] == [99.0, 101.5]


def test_memory_is_bounded() -> None:
    """So many of each server, and none of one that is gone."""
    samples = Samples()
    for second in range(KEPT + 10):
        taken(samples, float(second), 0.0, "10.0.0.1", "10.0.0.2")
    taken(samples, 1e6, 0.0, "10.0.0.1")
    assert {key: len(kept) for key, kept in samples.frozen().items()} == {("web", "10.0.0.1:80"): KEPT}


def test_failures_and_servers_without_checks() -> None:
    """A failure has no time that could be compared; without a check there is nothing."""
    samples = Samples()
    failed = made.server(checks=[made.check("down", made.outcome("fail", "L4CON", "", 3.0))])
    bare = made.server("10.0.0.2", checks=[])
    samples.take(answers.status(made.status(made.service(failed, bare))))
    frozen = samples.frozen()
    assert [value for _, value in frozen["web", "10.0.0.1:80"]] == [None]
    assert frozen["web", "10.0.0.2:80"] == ()
