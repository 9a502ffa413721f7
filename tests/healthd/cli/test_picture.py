from typing import Any

import pytest

from healthd.cli import answers, picture
from healthd.cli.answers import Server, Status
from healthd.cli.terminal import Page
from tests.support import control_answers as made


def server(*arguments: Any, **more: Any) -> Server:
    return answers.server(made.server(*arguments, **more))


@pytest.mark.parametrize(
    ("found", "state", "weight"),
    [
        (server(), "up", "2"),
        (server(progress="1/3"), "up, 1/3 bad", "2"),
        (server(degraded=True, weight=1), "degraded", "1/2"),
        (server(degraded=True, progress="1/3"), "degraded, 1/3 bad", "2"),
        (server(health="down"), "down", "0/2"),
        (server(health="down", progress="1/2", weight=None), "down, 1/2 good", "-/2"),
        (server(health="unknown", weight=0), "unknown", "0/2"),
        (server(state="drain", weight=0, override=made.override()), "drain", "0/2"),
        (server(state="drain", weight=0, override=made.override(until=made.AT + 240)), "drain 4m", "0/2"),
        (server(state="drain", weight=None, override=made.override(cut=True)), "cut", "-/2"),
        (
            server(health="down", state="maintenance", override=made.override("maintenance", until=made.AT + 4320)),
            "maint 1h12m, down",
            "0/2",
        ),
        (server(weight=1, override=made.override("ready", weight="50%")), "up", "1/2"),
    ],
)
def test_state_and_weight(found: Server, state: str, weight: str) -> None:
    """What the checks say is seen beside what an operator has set, and the configured weight where it differs."""
    assert picture.state(found, made.AT) == state
    assert picture.weight(found) == weight


def test_the_columns_of_a_row() -> None:
    """Service, server, state, weight, connections, the last check's code, time and age, since, reason."""
    row = picture.row(server("10.0.0.2", "down"), made.AT)
    assert row.cells == ("web", "10.0.0.2:80", "down", "0/2", "12/3", "L4CON", "0.3ms", "2s", "2h05m")
    assert row.note.startswith("L4CON connecting to")
    bare = picture.row(server(active=None, inactive=None, checks=[], since=0), made.AT)
    assert bare.cells[4:] == ("-", "-", "-", "-", "-")


def drawn(status: Status, width: int, *, repeats: bool = False) -> list[str]:
    page = Page(width, lambda text, _style: text, repeats=repeats)
    table = picture.table(status.services, list(status.servers), status.at, page)
    return [*picture.first_lines(status, page), *table]


STATUS = answers.status(
    made.status(
        made.service(made.server("10.0.0.1"), made.server("10.0.0.2", "down", reason="L4CON refused")),
        made.service(made.server("10.0.0.9", "down", reason="L4TOUT"), name="mail", virtual="192.0.2.25:25/tcp"),
        unusual=("mail: no real server left; fallback server 127.0.0.1:80 answers",),
    )
)


def test_a_wide_page() -> None:
    """The first line is the whole; then everything unusual; the name of a service stands once."""
    assert drawn(STATUS, 140) == [
        "lb1: 1 service LOST; 2 services, 3 servers: 1 up, 2 down; healthd 0.1.0, up for 3d4h",
        "! mail: no real server left; fallback server 127.0.0.1:80 answers",
        "SERVICE  SERVER       STATE  WEIGHT  CONN  LAST    TIME  AGE  SINCE  REASON",
        "web      10.0.0.1:80  up          2  12/3  L7OK   4.0ms   2s  2h05m",
        "         10.0.0.2:80  down      0/2  12/3  L4CON  0.3ms   2s  2h05m  L4CON refused",
        "mail     10.0.0.9:80  down      0/2  12/3  L4CON  0.3ms   2s  2h05m  L4TOUT",
    ]


def test_lines_for_programs_repeat_the_service() -> None:
    """Each line is understood without the one above."""
    assert [line.split()[0] for line in drawn(STATUS, 10_000, repeats=True)[3:]] == ["web", "web", "mail"]


def test_a_narrow_page() -> None:
    """Where there is no room for a column of services they are headings, and spare columns go."""
    assert drawn(STATUS, 60) == [
        "lb1: 1 service LOST; 2 services, 3 servers: 1 up, 2 down;",
        "  healthd 0.1.0, up for 3d4h",
        "! mail: no real server left; fallback server 127.0.0.1:80",
        "  answers",
        "SERVER       STATE  WEIGHT  CONN  LAST    TIME  AGE  SINCE",
        "web  192.0.2.10:80/tcp wlc, 1 of 2 available",
        "10.0.0.1:80  up          2  12/3  L7OK   4.0ms   2s  2h05m",
        "10.0.0.2:80  down      0/2  12/3  L4CON  0.3ms   2s  2h05m",
        "      L4CON refused",
        "mail  192.0.2.25:25/tcp wlc, 0 of 1 available, LOST,",
        "fallback ACTIVE",
        "10.0.0.9:80  down      0/2  12/3  L4CON  0.3ms   2s  2h05m",
        "      L4TOUT",
    ]


@pytest.mark.parametrize("width", [40, 50, 60, 79, 100, 139])
def test_no_line_is_wider_than_the_page(width: int) -> None:
    """A terminal that folds by itself breaks the columns."""
    assert max(map(len, drawn(STATUS, width))) <= width


def test_all_is_well() -> None:
    """Green only when nothing is wrong and nothing unusual."""
    well = answers.status(made.status(made.service(made.server())))
    assert picture.headline(well) == "lb1: 1 service, 1 server: 1 up; healthd 0.1.0, up for 3d4h"
    assert picture.head_style(well) == "bold green"
    assert picture.head_style(STATUS) == "bold red"
    odd = answers.status(made.status(made.service(made.server()), unusual=("frozen",)))
    assert picture.head_style(odd) == "bold yellow"
