"""`healthd drain`, `maint`, `ready`, `weight`, `check-now`: what an operator does to servers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from healthd.cli import completing, options
from healthd.cli.acting import act
from healthd.cli.client import Client
from healthd.cli.exits import Exit

_WEIGHT = re.compile(r"([0-9]{1,9})(%?)")
MOST, MOST_PERCENT = 65535, 1000

EXITS = """

    Exit status: 0 done, 64 usage, 66 no such server, 69 no daemon, 70 it failed, 77 not permitted.
"""

REFUSABLE = """

    Exit status: 0 done, 64 usage, 66 no such server, 69 no daemon, 70 it failed, 75 refused: some service would be
    left with less than its min_available, which --force allows; 77 not permitted.
"""

SELECTION = """

    SERVER is SERVICE/ADDRESS:PORT, or the ADDRESS alone for that server in every service; * and ? stand for any
    characters, and web/* for all servers of web. Several are changed together or not at all.
"""


def _documented(more: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Adds to the help of a command what several have in common."""

    def with_more(command: Callable[..., int]) -> Callable[..., int]:
        command.__doc__ = (command.__doc__ or "").rstrip() + more
        return command

    return with_more


chosen = click.argument("servers", metavar="SERVER...", nargs=-1, required=True, shell_complete=completing.servers)
force = click.option("--force", is_flag=True, help="Even below the min_available of a service.")


@click.command()
@chosen
@click.option("--wait", is_flag=True, help="Show how the connections end, until there is none.")
@click.option("--max", "limit", metavar="DURATION", callback=options.duration, help="Cut what is left then, as in 5m.")
@options.reason
@force
@options.output_format
@options.daemon
@_documented(SELECTION + REFUSABLE)
def drain(  # noqa: PLR0913 - one parameter for each option, as click hands them over
    *,
    client: Client,
    servers: tuple[str, ...],
    wait: bool,
    limit: float | None,
    reason: str,
    force: bool,
    output_format: str,
) -> int:
    """Take servers out without losing a connection: weight 0, until `healthd ready`.

    Its checks go on. Connections end in peace and new ones go elsewhere, but clients with persistence come back as
    long as their entries last. With --wait the end of the last connection is waited for; Ctrl-C ends the waiting,
    not the drain. With --max a server is cut from the table after that time, with what it still has.
    """
    content = {"servers": list(servers), "limit": limit, "reason": reason, "force": force}
    answer = act(client, "drain", content, output_format, quiet=wait and output_format == "json")
    if not wait:
        return Exit.OK
    from healthd.cli.draining import waited  # noqa: PLC0415 - not needed to begin one

    return waited(client, servers, answer, as_json=output_format == "json")


@click.command()
@chosen
@click.option(
    "--ttl", metavar="DURATION", callback=options.duration, help="Ends by itself then, as in 2h; else by `ready`."
)
@options.reason
@force
@options.output_format
@options.daemon
@_documented(SELECTION + REFUSABLE)
def maint(
    *, client: Client, servers: tuple[str, ...], ttl: float | None, reason: str, force: bool, output_format: str
) -> int:
    """Put servers in maintenance: out like one that is down, and nobody is alarmed by what its checks find.

    When it ends, by `healthd ready` or after --ttl, they come back through their checks.
    """
    content = {"servers": list(servers), "ttl": ttl, "reason": reason, "force": force}
    act(client, "maintenance", content, output_format)
    return Exit.OK


@click.command()
@chosen
@options.reason
@options.output_format
@options.daemon
@_documented(SELECTION + EXITS)
def ready(*, client: Client, servers: tuple[str, ...], reason: str, output_format: str) -> int:
    """End drain and maintenance.

    A drained server whose checks are well is back at once, one in maintenance when its checks have passed.
    A weight that was set stays.
    """
    act(client, "ready", {"servers": list(servers), "reason": reason}, output_format)
    return Exit.OK


@click.command()
@chosen
@click.argument("weight", metavar="N|N%")
@options.reason
@force
@options.output_format
@options.daemon
@_documented(SELECTION + REFUSABLE)
def weight(
    *, client: Client, servers: tuple[str, ...], weight: str, reason: str, force: bool, output_format: str
) -> int:
    """Set another weight than the configured one: a number, or a share of it. 100% goes back to it."""
    given = _WEIGHT.fullmatch(weight)
    if not given or int(given[1]) > (MOST_PERCENT if given[2] else MOST):
        expected = f"a number from 0 to {MOST}, or a share of the configured one from 0% to {MOST_PERCENT}%"
        raise click.UsageError(f'"{weight}" is no weight: expected {expected}')
    content: dict[str, Any] = {"servers": list(servers), "weight": weight, "reason": reason, "force": force}
    act(client, "weight", content, output_format)
    return Exit.OK


@click.command("check-now")
@chosen
@options.reason
@options.output_format
@options.daemon
@_documented(SELECTION + EXITS)
def check_now(*, client: Client, servers: tuple[str, ...], reason: str, output_format: str) -> int:
    """Run the checks of servers at once instead of at their next turn. What they find counts like any other."""
    act(client, "check-now", {"servers": list(servers), "reason": reason}, output_format)
    return Exit.OK
