from dataclasses import replace

import pytest

from healthd.cli import answers
from healthd.cli.top.view import SORTS, View, listed, position, pressed
from tests.support import control_answers as made

SLOW = made.check(last=made.outcome(seconds=0.5))
STATUS = answers.status(
    made.status(
        made.service(
            made.server("10.0.0.1", since=made.AT - 10),
            made.server("10.0.0.2", active=99, checks=[SLOW]),
            made.server("10.0.0.3", "down", since=made.AT - 50, reason="L7STS Teapot"),
            made.server("10.0.0.4", "down", since=made.AT - 5),
            made.server("10.0.0.5", progress="1/3"),
            made.server("10.0.0.6", state="drain", override=made.override()),
        )
    )
)


def order(view: View) -> str:
    return "".join(server.address[-1] for server in listed(view, STATUS))


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("trouble", "435126"),
        ("service", "123456"),
        ("latency", "215634"),
        ("connections", "213456"),
        ("since", "413625"),
    ],
)
def test_sorting(sort: str, found: str) -> None:
    """By trouble the newest of the gravest is on top; any order can be turned round."""
    assert order(View(sort=sort)) == found
    assert order(View(sort=sort, backwards=True)) == found[::-1]


def test_filters() -> None:
    """A text anywhere in the line, in whatever case; or only those in trouble or held."""
    assert order(View(sort="service", pattern="teapot")) == "3"
    assert order(View(sort="service", pattern="WEB/10.0.0.2")) == "2"
    assert order(View(sort="service", notable_only=True)) == "3456"
    assert order(View(pattern="nothing like it")) == ""


def after(view: View, *keys: str) -> View:
    for key in keys:
        view = pressed(view, key, listed(view, STATUS), 3)
    return view


def test_moving() -> None:
    """The bar stays on its server when the order changes, and within the list."""
    view = after(View(sort="service"), "down", "j")
    assert view.chosen == ("web", "10.0.0.3:80")
    assert position(replace(view, sort="trouble"), listed(View(), STATUS)) == 1
    assert after(view, "page down").chosen == ("web", "10.0.0.6:80")
    assert after(view, "end", "down", "page down").chosen == ("web", "10.0.0.6:80")
    assert after(view, "home", "k").chosen == ("web", "10.0.0.1:80")
    assert pressed(View(), "down", [], 3) == View()


def test_typing_a_filter() -> None:
    """Letters are letters then, until Enter keeps the text or Escape drops it."""
    view = after(View(), "/", "q", "s", "backspace", "x")
    assert (view.pattern, view.typing, view.over) == ("qx", True, False)
    assert after(view, "enter").pattern == "qx"
    assert after(view, "escape").pattern == ""
    assert after(view, "up").pattern == "qx"


def test_the_other_keys() -> None:
    """Each does one thing, and an unknown one nothing."""
    assert [after(View(), *["s"] * n).sort for n in range(6)] == [*SORTS, SORTS[0]]
    assert after(View(), "S").sort == SORTS[-1]
    assert after(View(), "r").backwards
    assert after(View(), "t").notable_only
    assert after(View(), "enter").detail
    assert not after(View(), "enter", "enter").detail
    assert after(View(), "enter", "t", "escape") == View(notable_only=True)
    assert after(View(), "t", "escape") == View()
    assert after(View(), "q").over
    assert after(View(), "x", "é", "up arrow") == View()
    assert after(View(), "?", "x") == View()
