"""`healthd freeze`, `thaw`, `reload`: what an operator does to the daemon as a whole."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from healthd.cli import options, output
from healthd.cli.acting import PATIENCE, act
from healthd.cli.answers import understood
from healthd.cli.client import Client, path_of
from healthd.cli.exits import Exit, Problem
from healthd.printable import one_line


@click.command()
@click.option(
    "--ttl", metavar="DURATION", callback=options.duration, help="Thaws by itself then, as in 30m; else by `thaw`."
)
@options.reason
@options.output_format
@options.daemon
def freeze(*, client: Client, ttl: float | None, reason: str, output_format: str) -> int:
    """Observe, and touch nothing: the table stays as it is, whatever the checks find.

    Checks, alerts and this program's answers go on; `healthd status` shows what would have been edited. It survives a
    restart.

    Exit status: 0 frozen, 64 usage, 69 no daemon, 70 it failed, 77 not permitted.
    """
    act(client, "freeze", {"ttl": ttl, "reason": reason}, output_format)
    return Exit.OK


@click.command()
@options.reason
@options.output_format
@options.daemon
def thaw(*, client: Client, reason: str, output_format: str) -> int:
    """End a freeze: the table is made true to what the checks have found.

    Exit status: 0 thawed, 64 usage, 69 no daemon, 70 it failed, 77 not permitted.
    """
    act(client, "thaw", {"reason": reason}, output_format)
    return Exit.OK


@click.command()
@options.reason
@options.output_format
@options.daemon
def reload(*, client: Client, reason: str, output_format: str) -> int:
    """Have the daemon read its configuration again, and print what has changed, or what is wrong with it.

    A configuration with an error changes nothing: the old one goes on.

    Exit status: 0 done, 64 usage, 69 no daemon, 70 it failed, 77 not permitted, 78 refused, with one line for each
    error on standard error.
    """
    event = _outcome(client, reason)
    with understood():
        errors, changes = ([str(text) for text in event.get(name) or ()] for name in ("errors", "changes"))
        refused = event["kind"] == "reload_failed"
    if output_format == "json":
        output.say_json(event)
    if refused:
        raise Problem(
            Exit.BAD_CONFIGURATION, *map(one_line, errors), "healthd: not reloaded: the old configuration goes on"
        )
    if output_format == "text":
        for change in changes:
            output.say_folded(change)
        output.say("Reloaded." if changes else "Reloaded: nothing has changed.")
    return Exit.OK


def _outcome(client: Client, reason: str) -> dict[str, Any]:
    """The event that says what has become of the reload; it is listened for before anything is asked.

    Raises:
        Problem: the daemon cannot be asked, or ends before it has told.

    """
    with closing(client.follow(path_of("events"), {"kind": "reloaded,reload_failed"}, {})) as stream:
        asked = False
        for event in stream:
            if not asked:
                client.post(path_of("reload"), {"reason": reason}, PATIENCE)
                asked = True
            if event is not None:
                return event
    raise Problem(Exit.DAEMON_FAILED, "healthd: the daemon has ended before it told what became of the reload")
