"""`healthd events`: what happens, while it happens."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import Any

import click

from healthd.cli import completing, options, output
from healthd.cli.answers import understood
from healthd.cli.client import Answered, Client, Unreachable, path_of
from healthd.cli.exits import Exit, Problem
from healthd.cli.history import lines, of_kind, past
from healthd.cli.naming import about, unknown
from healthd.cli.numbers import Count
from healthd.cli.times import stamp
from healthd.clock import SystemClock

AGAIN = 2.0
"""Seconds between two attempts to reach a daemon that has gone."""

Tell = Callable[[dict[str, Any]], None]


@click.command()
@click.argument("name", metavar="[SERVICE[/SERVER]]", required=False, default="", shell_complete=completing.anything)
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens from now on, until Ctrl-C.")
@of_kind
@click.option(
    "-n",
    "--limit",
    metavar="N",
    type=Count(0, 10_000),
    default=10,
    show_default=True,
    help="Begin with the last so many.",
)
@options.output_format
@options.daemon
def events(*, client: Client, name: str, follow: bool, kind: str, limit: int, output_format: str) -> int:
    """Print the last events, and with -f every new one; JSON is one object in each line.

    SERVICE and SERVER may have * and ?; a name without a slash is a service, or a server in every service. A daemon
    that restarts is waited for, and what happened meanwhile is told as far as its history goes.

    Exit status: 0 printed, 64 usage, 66 there is none of that name, or no history is kept: -f does without
    either; 69 no daemon, 70 it failed, 77 not permitted.
    """
    meant = about(client, name)
    query = {"service": meant.service, "server": meant.server, "kind": kind}
    tell = _tell_json if output_format == "json" else _tell
    last = _moment(client) if follow else 0
    found = _past(client, query, limit, follow=follow)
    if not found and not meant.known:
        if not follow:
            raise Problem(Exit.NO_MATCH, f"healthd: nothing is on record: {unknown(name)}")
        print(f"healthd: {unknown(name)}; waiting for it", file=sys.stderr)
    for event in found:
        tell(event)
        # In the stream an event goes by its time in microseconds, in the history by another number.
        last = int(float(event["at"]) * 1_000_000)
    if follow:
        _Following(client, query, last, tell).run()
    return Exit.OK


def _moment(client: Client) -> int:
    """The daemon's time in microseconds, which is how events are numbered in the stream."""
    with understood():
        return int(float(client.get(path_of("status"), {"summary": 1})["at"]) * 1_000_000)


def _past(client: Client, query: dict[str, Any], limit: int, *, follow: bool) -> list[dict[str, Any]]:
    """A daemon that keeps no history can be followed all the same."""
    try:
        return past(client, query, limit) if limit else []
    except Answered as refused:
        if follow and refused.status in {Exit.DAEMON_FAILED, Exit.NO_MATCH}:
            return []
        raise


def _tell(event: dict[str, Any]) -> None:
    for line in lines(event):
        output.say_plain(line)


def _tell_json(event: dict[str, Any]) -> None:
    output.say_plain(json.dumps(event))


class _Following:
    def __init__(self, client: Client, query: dict[str, Any], last: int, tell: Tell) -> None:
        self._client = client
        self._query = query
        self._last = last
        self._tell = tell
        self._begun = False
        self._gone = ""
        self._pause = threading.Event()

    def run(self) -> None:
        """Until Ctrl-C, or until the daemon refuses, or is not there at the beginning."""
        self._try()
        while True:
            self._try()
            if not self._gone:
                self._gone = stamp(SystemClock.wall())
                print(f"healthd: UNREACHABLE since {self._gone}, trying again", file=sys.stderr)
            self._pause.wait(AGAIN)

    def _try(self) -> None:
        try:
            self._read()
        except Unreachable as error:  # also where a stream breaks off in the midst of an event
            if error.status != Exit.UNAVAILABLE or not self._begun:
                raise

    def _read(self) -> None:
        headers = {"Last-Event-ID": str(self._last)} if self._last else {}
        for event in self._client.follow(path_of("events"), self._query, headers):
            self._begun = True
            if self._gone:
                print(f"healthd: reachable again, was not since {self._gone}", file=sys.stderr)
                self._gone = ""
            if event is not None:
                self._last = int(event.get("id") or self._last)
                self._tell(event)
