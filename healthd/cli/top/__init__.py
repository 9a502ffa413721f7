"""`healthd top`: the servers, live, on the whole terminal.

    feed (a thread: asks the daemon) -> Frame -> layout (pure) -> screen (curses)
                                     keys -> view (pure) -^

The screen stays what it was while the daemon hangs or restarts, and says since when.
"""

from __future__ import annotations

import sys

import click

from healthd.cli import completing, options
from healthd.cli.client import Client
from healthd.cli.exits import Exit, Problem
from healthd.cli.numbers import Seconds
from healthd.cli.top.view import SORTS, View


@click.command()
@click.argument("pattern", metavar="[TEXT]", required=False, default="", shell_complete=completing.anything)
@click.option("-s", "--sort", type=click.Choice(SORTS), default=SORTS[0], show_default=True, help="What stands on top.")
@click.option(
    "-n",
    "--interval",
    metavar="SECONDS",
    type=Seconds(0.2, 3600),
    default=2.0,
    show_default=True,
    help="Between two looks.",
)
@options.daemon
def top(*, client: Client, pattern: str, sort: str, interval: float) -> int:
    """Show the servers live; TEXT leaves those in whose line it stands. Press ? for the keys, q to end.

    Exit status: 0 ended by q, 64 usage, 69 no daemon, 70 it failed, 77 not permitted.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Problem(Exit.USAGE, "healthd: top needs a terminal; `healthd status` prints, also with --format json")
    from healthd.cli.top.screen import shown  # noqa: PLC0415 - curses is not needed to say the above

    shown(client, View(sort=sort, pattern=pattern), interval)
    return Exit.OK
