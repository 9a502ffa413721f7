"""`healthd status`: what is wrong, first; then every server, or those that somebody has to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from healthd.cli import answers, completing, nagios, options, output, picture, terminal
from healthd.cli.answers import Server, Service, Status
from healthd.cli.client import Client, path_of
from healthd.cli.exits import Exit, Problem
from healthd.cli.numbers import Seconds
from healthd.cli.selection import selected
from healthd.cli.tabs import tab_separated

FULL = 40
"""So many servers are all shown; of more, those that are not simply up."""

STATES = ("up", "down", "unknown", "drain", "maintenance")

SOME_DOWN, SERVICE_LOST, SOME_UNKNOWN = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody wants to see."""

    patterns: tuple[str, ...]
    states: tuple[str, ...]
    everything: bool


def _states(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in (value or "").split(",") if name.strip())
    names = tuple("maintenance" if name == "maint" else name for name in names)
    for name in names:
        if name not in STATES:
            raise click.BadParameter(f'"{name}" is no state: expected {", ".join(STATES)}')
    return names


@click.command()
@click.argument("patterns", metavar="[SERVICE[/SERVER]]...", nargs=-1, shell_complete=completing.anything)
@click.option(
    "--state",
    "states",
    metavar="STATE,...",
    callback=_states,
    shell_complete=completing.several_of(STATES),
    help=f"Of {', '.join(STATES)}, only these.",
)
@click.option("-a", "--all", "everything", is_flag=True, help=f"Every server, even where there are more than {FULL}.")
@click.option(
    "-w",
    "--watch",
    metavar="[SECONDS]",
    type=Seconds(0.2, 3600, "; names stand before --watch"),
    is_flag=False,
    flag_value=2.0,
    help="Again and again, every 2 seconds unless told otherwise.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "tsv", "nagios"]),
    default="text",
    show_default=True,
    help="How it is printed.",
)
@options.daemon
def status(
    *,
    client: Client,
    patterns: tuple[str, ...],
    states: tuple[str, ...],
    everything: bool,
    watch: float | None,
    output_format: str,
) -> int:
    """Show how the servers are, and everything that is unusual.

    SERVICE and SERVER may have * and ?; a name without a slash is a service, or a server in every service.
    STATE shows a count while outcomes gather that would change it: "up, 1/3 bad" has failed once and is out at three.
    WEIGHT is the one in the table, with the configured one if that is another; CONN are the active and the inactive
    connections that the kernel counts.

    Exit status: 0 all is well, 1 some server is down, 2 some service has no server left, 3 something could not be
    told, 64 usage, 66 nothing matches, 69 no daemon, 70 it failed, 77 not permitted. Servers in drain or maintenance
    count as well. With --format nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
    """
    chosen = Chosen(patterns, states, everything)
    if output_format == "nagios":
        return _nagios(client, chosen)
    if watch is not None:
        if output_format != "text":
            raise click.UsageError("--watch draws text; programs poll, or read `healthd events -f --format json`")
        from healthd.cli.watching import watch_for  # noqa: PLC0415 - not needed for one look

        watch_for(client, watch, lambda content: _lines(*_picked(content, chosen), chosen))
    show = {"text": _show, "json": _show_json, "tsv": _show_tabs}[output_format]
    return show(client.get(path_of("status")), chosen)


def _picked(content: Any, chosen: Chosen) -> tuple[Status, list[Server]]:
    found = answers.status(content)
    return found, selected(found.servers, chosen.patterns, chosen.states)


def _show(content: Any, chosen: Chosen) -> int:
    found, servers = _picked(content, chosen)
    for line in _lines(found, servers, chosen):
        output.say_plain(line)
    return exit_status(services_of(found, servers), servers)


def _lines(found: Status, servers: list[Server], chosen: Chosen) -> Iterator[str]:
    page = terminal.page()
    yield from picture.first_lines(found, page)
    narrow = not chosen.everything and not chosen.states and len(servers) > FULL
    shown = [server for server in servers if picture.is_notable(server)] if narrow else servers
    if shown:
        yield ""
        yield from picture.table(found.services, shown, found.at, page)
    yield from _left_out(found, servers, shown, chosen)


def _left_out(found: Status, servers: Sequence[Server], shown: Sequence[Server], chosen: Chosen) -> Iterator[str]:
    hidden = len(servers) - len(shown)
    if hidden:
        yield ""
        is_up, is_not = ("is", "it is") if hidden == 1 else ("are", "they are")
        yield f"{picture.counted(hidden, 'more server')} {is_up} simply up; with --all {is_not} shown."
    elif not shown:
        yield ""
        yield f"No server is {' or '.join(chosen.states)}." if chosen.states else "There is no server."
    elif len(servers) < (all_of_them := sum(len(service.servers) for service in found.services)):
        yield ""
        yield f"{len(servers)} of {picture.counted(all_of_them, 'server')} shown."


def _show_json(content: Any, chosen: Chosen) -> int:
    found, servers = _picked(content, chosen)
    kept = {(server.service, server.name) for server in servers}
    services = [
        {**service, "servers": [one for one in service["servers"] if (service["name"], one["name"]) in kept]}
        for service in content["services"]
    ]
    if chosen.patterns or chosen.states:
        services = [service for service in services if service["servers"]]
    output.say_json({**content, "services": services})
    return exit_status(services_of(found, servers), servers)


def _show_tabs(content: Any, chosen: Chosen) -> int:
    found, servers = _picked(content, chosen)
    for line in tab_separated(servers):
        output.say_plain(line)
    return exit_status(services_of(found, servers), servers)


def _nagios(client: Client, chosen: Chosen) -> int:
    try:
        found, servers = _picked(client.get(path_of("status")), chosen)
    except Problem as problem:
        reason = problem.messages[0].removeprefix("healthd: ")
        output.say_plain(nagios.failed(reason))
        return nagios.Level.UNKNOWN
    services = services_of(found, servers)
    output.say_plain(nagios.line(found, services, servers))
    return nagios.level(found, services, servers)


def services_of(found: Status, servers: Iterable[Server]) -> list[Service]:
    """The services that have one of them; of all servers, all services."""
    names = {server.service for server in servers}
    return [service for service in found.services if service.name in names or not service.servers]


def exit_status(services: Sequence[Service], servers: Sequence[Server]) -> int:
    """The gravest of what is shown."""
    states = {server.state for server in servers}
    if any(service.standing == "lost" for service in services):
        return SERVICE_LOST
    if "down" in states:
        return SOME_DOWN
    return SOME_UNKNOWN if "unknown" in states else Exit.OK
