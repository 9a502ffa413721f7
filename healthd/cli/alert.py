"""`healthd alert test`: whether a message arrives, before it has to."""

from __future__ import annotations

import click

from healthd.cli import completing, options
from healthd.cli.acting import act
from healthd.cli.client import Client
from healthd.cli.exits import Exit, Problem


@click.group()
def alert() -> None:
    """Try the channels of alerts."""


@alert.command()
@click.argument("channel", required=False, shell_complete=completing.channels)
@options.reason
@options.output_format
@options.daemon
def test(*, client: Client, channel: str | None, reason: str, output_format: str) -> int:
    """Have the daemon send a message through CHANNEL, an [alert.CHANNEL] of its configuration, or through each.

    Exit status: 0 arrived, 1 one did not arrive, 64 usage, 66 no such channel, 69 no daemon, 70 it failed, 77 not
    permitted.
    """
    answer = act(client, "alert-test", {"channel": channel, "reason": reason}, output_format)
    if answer.get("failed"):
        return Exit.FAILED
    if not answer["done"]:
        raise Problem(Exit.NO_MATCH, "healthd: nothing was sent: the configuration has no [alert.NAME]")
    return Exit.OK
