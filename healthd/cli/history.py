"""`healthd history`: what has happened, from the daemon's memory of the past."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from healthd.cli import columns, completing, options, output, terminal
from healthd.cli.answers import understood
from healthd.cli.client import Client, path_of
from healthd.cli.exits import Exit, Problem
from healthd.cli.naming import about, unknown
from healthd.cli.numbers import Count
from healthd.cli.times import stamp
from healthd.printable import one_line

PAGE = 1000
"""Events asked for at once."""

STYLES = {"warning": "bold yellow", "critical": "bold red"}

WHEN = 21
"""Columns of the time before an event."""

of_kind = click.option(
    "--kind",
    metavar="KIND",
    default="",
    shell_complete=completing.kinds,
    help="Only events of this kind, such as server_down.",
)


@click.command()
@click.argument("name", metavar="[SERVICE[/SERVER]]", required=False, default="", shell_complete=completing.anything)
@click.option(
    "--since", metavar="TIME", callback=options.moment, help='From then on: "2h" ago, "15:04", "2026-11-22 15:04".'
)
@click.option("--until", metavar="TIME", callback=options.moment, help="Up to then.")
@of_kind
@click.option(
    "-n",
    "--limit",
    metavar="N",
    type=Count(1, 100_000),
    default=100,
    show_default=True,
    help="The newest so many.",
)
@options.output_format
@options.daemon
def history(  # noqa: PLR0913 - one parameter for each option, as click hands them over
    *, client: Client, name: str, since: float | None, until: float | None, kind: str, limit: int, output_format: str
) -> int:
    """Print what has happened, the newest last: changes of servers, edits, acts of operators, alerts.

    SERVICE and SERVER may have * and ?; a name without a slash is a service, or a server in every service.

    Exit status: 0 printed, 64 usage, 66 no history is kept, or there is none of that name; 69 no daemon, 70 it
    failed, 77 not permitted.
    """
    if since is not None and until is not None and since > until:
        raise click.UsageError(f"--since ({stamp(since)}) is after --until ({stamp(until)}): nothing is in between")
    meant = about(client, name)
    query = {"service": meant.service, "server": meant.server, "kind": kind, "since": since, "until": until}
    events = past(client, query, limit)
    if not events and not meant.known:
        raise Problem(Exit.NO_MATCH, f"healthd: nothing is on record: {unknown(name)}")
    if output_format == "json":
        output.say_json(events)
        return Exit.OK
    for event in events:
        for line in lines(event):
            output.say_plain(line)
    if not events:
        output.say("Nothing has happened that is on record.")
    return Exit.OK


def past(client: Client, query: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """The newest `limit` events that fit, the oldest of them first."""
    found: list[dict[str, Any]] = []
    before = None
    while len(found) < limit:
        page = min(PAGE, limit - len(found))
        answer = client.get(path_of("history"), {**query, "limit": page, "before": before})
        with understood():
            events, before = list(answer["events"]), answer.get("next")
        found += events
        if before is None or not events:
            break
    found = found[:limit]
    with understood():
        return sorted(found, key=lambda event: (float(event["at"]), int(event.get("id") or 0)))


def lines(event: dict[str, Any]) -> Iterator[str]:
    """`2026-11-22 15:04:05  web: server ...`, folded under itself; a grave one begins with its severity."""
    with understood():
        severity = str(event.get("severity", ""))
        when, text = stamp(float(event["at"])), one_line(str(event["text"]))
    said = f"{severity.upper()} {text}" if severity in STYLES else text
    first, *more = columns.folded(said, terminal.width() - WHEN) or [""]
    yield f"{when:{WHEN}}{terminal.painted(first, STYLES.get(severity, ''))}"
    yield from (" " * WHEN + part for part in more)
