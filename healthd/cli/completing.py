"""What the shell offers after TAB: names that the running daemon knows. Quick, and silent when it is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import click

from healthd.cli import options
from healthd.cli.exits import Problem

PATIENCE = 1.0
"""Seconds; who presses TAB does not wait longer."""

MANY = 500
"""Servers of all services together that are still offered."""

MOST = 2000
"""Names that a shell is given at once."""


def anything(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Services, and the servers of one."""
    return ([] if "/" in begun else _fitting(_services(_status(ctx, summary="1")), begun)) + servers(
        ctx, parameter, begun
    )


def servers(ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """`SERVICE/SERVER` of every server, but of very many only those of the service that is written already."""
    service, slash, _ = begun.partition("/")
    if not slash:
        known = _status(ctx, summary="1")
        if known.get("totals", {}).get("servers", 0) > MANY:
            return _fitting((f"{name}/" for name in _services(known)), begun)
    status = _status(ctx, service=service if slash else "*")
    names = (
        f"{service['name']}/{server['name']}"
        for service in status.get("services", [])
        for server in service.get("servers", [])
    )
    return _fitting(names, begun)


def channels(ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The channels of alerts."""
    return _fitting((str(alert["name"]) for alert in _status(ctx, summary="1").get("alerts", [])), begun)


def kinds(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The kinds of events."""
    from healthd.events import KINDS  # noqa: PLC0415 - not needed to define a command

    return _fitting(sorted(KINDS), begun)


def several_of(known: Sequence[str]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Some of these, separated by commas."""

    def offered(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
        before, comma, last = begun.rpartition(",")
        return [f"{before}{comma}{name}" for name in _fitting(known, last) if name not in before.split(",")]

    return offered


def _status(ctx: click.Context, **query: str) -> dict[str, Any]:
    """The daemon's answer, or nothing at all: a message would end up in the command line that is being typed."""
    from healthd.cli.client import Client, path_of  # noqa: PLC0415 - not needed to define a command

    try:
        found = Client(options.place(ctx.params), PATIENCE).get(path_of("status"), query)
    except (Problem, click.ClickException):
        return {}
    return found if isinstance(found, dict) else {}


def _services(status: dict[str, Any]) -> Iterator[str]:
    yield from (str(service["name"]) for service in status.get("services", []))


def _fitting(names: Iterable[str], begun: str) -> list[str]:
    found = (name for name in names if name.startswith(begun) and name.isprintable())
    return [name for name, _ in zip(found, range(MOST), strict=False)]
