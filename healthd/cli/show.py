"""`healthd show`: one service, or one server, with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from healthd.cli import answers, columns, completing, options, output, picture, terminal
from healthd.cli.answers import Check, Outcome, Override, Server, Service
from healthd.cli.client import Client, path_of
from healthd.cli.exits import Exit
from healthd.cli.naming import one_server
from healthd.cli.terminal import Page
from healthd.cli.times import lasting, milliseconds, stamp
from healthd.printable import one_line
from healthd.weights import Wish

LABEL = 14
"""Columns of the names of what is shown."""


@click.command()
@click.argument("name", metavar="SERVICE[/SERVER]", shell_complete=completing.anything)
@options.output_format
@options.daemon
def show(*, client: Client, name: str, output_format: str) -> int:
    """Show everything about one service, or about one of its servers.

    Exit status: 0 shown, 64 usage, 66 there is none of that name, 69 no daemon, 70 it failed, 77 not permitted.
    """
    service, slash, server = name.partition("/")
    if slash and not server:
        raise click.UsageError(f'"{name}": the server is missing, as in {service}/192.168.7.11:80')
    content = one_server(client, service, server) if slash else client.get(path_of("services", service))
    at = float(client.get(path_of("status"), {"summary": "1"}).get("at", 0))
    if output_format == "json":
        output.say_json(content)
        return Exit.OK
    page = terminal.page()
    lines = (
        server_lines(answers.server(content), at, page) if slash else service_lines(answers.service(content), at, page)
    )
    for line in lines:
        output.say_plain(line)
    return Exit.OK


def service_lines(service: Service, at: float, page: Page) -> Iterator[str]:
    yield page.paint(one_line(service.name), "bold")
    yield from _entry(page, "virtual", f"{service.virtual}, scheduler {service.scheduler}")
    available = (
        f"{service.available} of {service.configured} servers available, at least {service.min_available} wanted"
    )
    lost = "; LOST: no real server is left" if service.standing == "lost" else ""
    starting = "; not every server has been judged yet" if service.standing == "starting" else ""
    yield from _entry(page, "servers", available + lost + starting)
    if service.fallback:
        yield from _entry(page, "fallback", service.fallback + (", ACTIVE" if service.fallback_active else ""))
    if service.fail_open:
        yield from _entry(
            page, "fail open", 'every server is in at its configured weight: all are down, all_down = "all"'
        )
    if service.servers:
        yield ""
        made = [columns.only(picture.row(server, at), range(1, len(picture.COLUMNS))) for server in service.servers]
        yield from columns.lines(picture.COLUMNS[1:], made, "REASON", page.width, page.paint)


def server_lines(server: Server, at: float, page: Page) -> Iterator[str]:
    yield page.paint(f"{one_line(server.service)}/{one_line(server.name)}", "bold")
    state = picture.state(server, at)
    since = f" since {stamp(server.since)} ({lasting(at - server.since)})" if server.since else ""
    found = f"; its checks find it {server.health}" if server.held else ""
    yield from _entry(page, "state", state + found + since, picture.styled(server))
    if server.reason:
        yield from _entry(page, "reason", server.reason)
    yield from _entry(page, "weight", _weight(server))
    yield from _entry(page, "connections", _connections(server))
    times = "once" if server.transitions == 1 else f"{server.transitions} times"
    yield from _entry(page, "changed", f"{times if server.transitions else 'never'} since healthd has known it")
    if server.override is not None:
        yield from _entry(page, "set", override(server.override, at))
    if not server.checks:
        yield from _entry(page, "checks", "none: it always counts as up")
    for check in server.checks:
        yield ""
        yield from check_lines(check, page)


def _weight(server: Server) -> str:
    if server.weight is None:
        return f"not in the table; {server.configured_weight} configured"
    if server.weight == server.configured_weight:
        return f"{server.weight}, as configured"
    return f"{server.weight} in the table, {server.configured_weight} configured"


def _connections(server: Server) -> str:
    counts = (("active", server.active), ("inactive", server.inactive), ("persistent", server.persistent))
    known = [f"{number} {name}" for name, number in counts if number is not None]
    return ", ".join(known) or "not counted by this table"


def override(held: Override, at: float | None = None) -> str:
    """What an operator has set, since when, until when, and why."""
    what = "cut from the table" if held.cut else held.admin
    if held.admin == "ready":
        what = f"weight {held.weight}"
    elif held.weight is not None:
        what += f", weight {held.weight}"
    left = f" ({lasting(held.until - at)} left)" if held.until and at is not None else ""
    until = f", until {stamp(held.until)}{left}" if held.until else ""
    why = f": {held.reason}" if held.reason else ""
    return f"{what} by {held.who}, {stamp(held.since)}{until}{why}"


def check_lines(check: Check, page: Page) -> Iterator[str]:
    progress = f", {check.progress} {'bad' if check.health == 'up' else 'good'}" if check.progress else ""
    unsettled = "" if check.settled else ", not settled"
    kind = "" if check.kind in {"", check.name} else f" ({check.kind})"
    style = {"up": "green", "down": "bold red"}.get(check.health, "bold yellow")
    yield from _entry(page, "check", f"{check.name}{kind}: {check.health}{progress}{unsettled}", style)
    if check.last is not None:
        age = "" if check.age is None else f", {lasting(check.age)} ago"
        yield from _entry(page, "  last", outcome(check.last, adds_up=check.adds_up) + age)
    if check.cause is not None and check.health != "up":
        yield from _entry(page, "  because of", outcome(check.cause))
    if check.unknowns:
        yield from _entry(page, "  unknown", f"{check.unknowns} times it could not be carried out")


def outcome(found: Outcome, *, adds_up: bool = False) -> str:
    asks = str(Wish(found.weight, found.factor, found.degraded, adds_up))
    return f"{found.status} in {milliseconds(found.seconds)}: {found}" + (f" ({asks})" if asks else "")


def _entry(page: Page, label: str, text: str, style: str = "") -> Iterator[str]:
    """`label  text`, folded under itself."""
    first, *more = columns.folded(one_line(text), page.width - LABEL) or [""]
    yield f"{label:{LABEL}}{page.paint(first, style)}".rstrip()
    yield from (" " * LABEL + part for part in more)
