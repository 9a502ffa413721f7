"""Options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthd.cli.exits import Exit, Problem

if TYPE_CHECKING:
    from healthd.cli.client import Client
    from healthd.cli.locate import Place

_Decorator = Callable[[Callable[..., int]], Callable[..., int]]

CONFIGURATION = Path("/etc/healthd/conf.d")

configuration = click.option(
    "-c",
    "--config",
    "path",
    metavar="PATH",
    type=click.Path(path_type=Path),
    default=CONFIGURATION,
    show_default=True,
    help="The configuration: a TOML file, or a folder of them.",
)

output_format = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the result is printed.",
)

reason = click.option("--reason", metavar="TEXT", default="", help="Why; it is shown, told and kept.")

_DAEMON = (
    click.option(
        "-c",
        "--config",
        "path",
        metavar="PATH",
        type=click.Path(path_type=Path),
        help=f"The daemon's configuration, which says where its socket is.  [default: {CONFIGURATION}]",
    ),
    click.option(
        "--socket", metavar="PATH", type=click.Path(path_type=Path), help="Its socket; also by $HEALTHD_SOCKET."
    ),
    click.option("--server", metavar="URL", help="Ask over TCP, as in https://lb1:9080, instead."),
    click.option(
        "--token-file", metavar="FILE", type=click.Path(path_type=Path), help="The token for --server, in a file."
    ),
)


def place(given: dict[str, Any]) -> Place:
    """Where the daemon is, from the options of `daemon`.

    Raises:
        UsageError: they contradict one another.
        Problem: it cannot be asked in that way.

    """
    from healthd.cli import locate  # noqa: PLC0415 - commands without a daemon need none of it

    server, path, socket, token_file = (given.get(name) for name in ("server", "path", "socket", "token_file"))
    if server is not None:
        if socket is not None:
            raise click.UsageError("--server and --socket are two ways to the same daemon: give one")
        return locate.by_url(server, token_file)
    if token_file is not None:
        raise click.UsageError("--token-file goes with --server: a socket asks for no token")
    if socket is not None:
        return locate.Place("--socket", path=socket)
    if path is not None:
        if not path.exists():
            raise Problem(Exit.NO_MATCH, f"healthd: {path}: does not exist; expected a TOML file or a folder")
        return locate.by_configuration(path)
    if (named := locate.by_environment()) is not None:
        return named
    new = given.get("new")
    if new is not None and (found := locate.by_configuration(new)).path is not None and found.path.exists():
        return found
    return locate.by_configuration(CONFIGURATION)


def daemon(command: Callable[..., int]) -> Callable[..., int]:
    """The command gets a `client` of the daemon that the options name."""
    return _with_client(command, _DAEMON)


def daemon_besides(command: Callable[..., int]) -> Callable[..., int]:
    """The same for a command with a `-c` of its own, whose `new` names a configuration that may be the daemon's."""
    return _with_client(command, _DAEMON[1:])


def _with_client(command: Callable[..., int], taken: Sequence[_Decorator]) -> Callable[..., int]:
    @functools.wraps(command)
    def with_client(**given: Any) -> int:
        from healthd.cli.client import Client  # noqa: PLC0415 - see above

        names = {name: given.pop(name, None) for name in ("path", "socket", "server", "token_file")}
        client: Client = Client(place(names | {"new": given.get("new")}))
        return command(client=client, **given)

    decorated: Callable[..., int] = with_client
    for option in reversed(taken):
        decorated = option(decorated)
    return decorated


def duration(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """Seconds, as a callback of an option."""
    from healthd.cli.times import span  # noqa: PLC0415 - see above

    try:
        return None if value is None else span(value)
    except ValueError as error:
        raise click.BadParameter(str(error), _ctx, _parameter) from error


def moment(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """A point in time, as a callback of an option."""
    from healthd.cli.times import moment as read  # noqa: PLC0415 - see above
    from healthd.clock import SystemClock  # noqa: PLC0415

    try:
        return None if value is None else read(value, SystemClock.wall())
    except ValueError as error:
        raise click.BadParameter(str(error), _ctx, _parameter) from error
