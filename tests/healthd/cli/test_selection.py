import pytest

from healthd.cli import answers
from healthd.cli.answers import Server
from healthd.cli.exits import Exit, Problem
from healthd.cli.selection import selected
from tests.support import control_answers as made

STATUS = answers.status(
    made.status(
        made.service(made.server("10.0.0.1"), made.server("10.0.0.2", "down"), name="web"),
        made.service(made.server("10.0.0.1"), made.server("2001:db8::1", name="[2001:db8::1]:80"), name="mail"),
    )
)


def names(servers: list[Server]) -> list[str]:
    return [f"{server.service}/{server.name}" for server in servers]


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        ((), ["web/10.0.0.1:80", "web/10.0.0.2:80", "mail/10.0.0.1:80", "mail/[2001:db8::1]:80"]),
        (("web",), ["web/10.0.0.1:80", "web/10.0.0.2:80"]),
        (("10.0.0.1",), ["web/10.0.0.1:80", "mail/10.0.0.1:80"]),
        (("mail/10.0.0.1:80",), ["mail/10.0.0.1:80"]),
        (("*/10.0.0.?",), ["web/10.0.0.1:80", "web/10.0.0.2:80", "mail/10.0.0.1:80"]),
        (("mail/[2001:db8::1]:80",), ["mail/[2001:db8::1]:80"]),
        (("[2001:db8::*",), ["mail/[2001:db8::1]:80"]),
        (("2001:db8::1", "web/*2"), ["web/10.0.0.2:80", "mail/[2001:db8::1]:80"]),
    ],
)
def test_what_a_pattern_means(patterns: tuple[str, ...], found: list[str]) -> None:
    """A service, a server in any service, or one in one; brackets are those of an IPv6 address."""
    assert names(selected(STATUS.servers, patterns, ())) == found


def test_states() -> None:
    """None in a state is an answer."""
    assert names(selected(STATUS.servers, (), ("down", "unknown"))) == ["web/10.0.0.2:80"]
    assert selected(STATUS.servers, ("mail",), ("down",)) == []


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("wbe", "did you mean web?"),
        ("quux", "the services are web, mail"),
        ("web/quux", "the servers of web are 10.0.0.1:80, 10.0.0.2:80"),
    ],
)
def test_no_such_name(pattern: str, hint: str) -> None:
    """Said with what was probably meant."""
    with pytest.raises(Problem, match=rf'matches "{pattern}"; {hint.replace("?", "[?]")}') as caught:
        selected(STATUS.servers, ("web", pattern), ())
    assert caught.value.status == Exit.NO_MATCH
