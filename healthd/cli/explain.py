"""`healthd explain`: why a server is in the state it is in, or was at some time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from healthd.cli import answers, columns, completing, options, output, show, terminal
from healthd.cli.answers import Server, understood
from healthd.cli.client import Client, path_of
from healthd.cli.exits import Exit
from healthd.cli.naming import one_server
from healthd.cli.terminal import Page
from healthd.cli.times import stamp
from healthd.printable import one_line


@click.command()
@click.argument("name", metavar="SERVICE/SERVER", shell_complete=completing.servers)
@click.option(
    "--at", metavar="TIME", callback=options.moment, help='Then instead of now: "2h" ago, "15:04", "2026-11-22 15:04".'
)
@options.output_format
@options.daemon
def explain(*, client: Client, name: str, at: float | None, output_format: str) -> int:
    """Say why a server is in its state: what its checks found, the rule that applied, the edits that followed.

    Exit status: 0 told, 64 usage, 66 there is none of that name, or nothing is known of that time; 69 no daemon,
    70 it failed, 77 not permitted.
    """
    service, _, server = name.partition("/")
    if not service or not server:
        raise click.UsageError(f'"{name}": expected SERVICE/SERVER, as in web/192.168.7.11:80')
    found = answers.server(one_server(client, service, server))
    content = client.get(path_of("explain", service, found.name), {"at": at})
    if output_format == "json":
        output.say_json(content)
    else:
        asked = Asked(f"{service}/{found.name}", at, None if at is not None else found)
        for line in lines(content, asked, terminal.page()):
            output.say_plain(line)
    with understood():
        return Exit.NO_MATCH if at is not None and content["event"] is None else Exit.OK


@dataclass(frozen=True, slots=True)
class Asked:
    """Of whom, and of which time; `server` is how it is now, if that is what was asked for."""

    name: str
    at: float | None
    server: Server | None


def lines(content: Any, asked: Asked, page: Page) -> Iterator[str]:
    """The answer for people: the state, what was told of it with the evidence, the rule, the checks."""
    with understood():
        state, since, event = str(content["state"]), content["since"], content["event"]
        texts, rule = [str(text) for text in content["text"]], str(content["rule"])
        acts = [str(text) for text in content.get("acts", ())]
        checks = [answers.check(check) for check in content["checks"]]
    if asked.at is not None and event is None:
        yield from (one_line(text) for text in texts)
        return
    style = {"up": "green", "down": "bold red", "unknown": "bold yellow"}.get(state, "cyan")
    yield page.paint(f"{one_line(asked.name)} {_stood(asked, state, float(since) if since else None)}", style)
    if asked.server is not None and asked.server.override is not None:
        acts = [show.override(asked.server.override)]
    if acts:
        yield from _titled("Set by an operator", acts, page)
    yield from _event(event, page)
    if rule:
        yield from _titled("Rule", [rule], page)
    for check in checks:
        yield ""
        yield from show.check_lines(check, page)


def _stood(asked: Asked, state: str, since: float | None) -> str:
    """`is up since then`; of one that is held both since when, and what its checks find."""
    word = {"drain": "drained", "maintenance": "in maintenance"}.get(state, one_line(state))
    when = f" since {stamp(since)}" if since else ""
    server = asked.server
    if server is None:
        return f"was {word} at {stamp(asked.at or 0.0)}," + when
    if server.held is not None:
        return f"is {word} since {stamp(server.held.since)}; its checks find it {server.health}{when}"
    return f"is {word}{when}" + (", degraded" if server.degraded else "")


def _event(event: Any, page: Page) -> Iterator[str]:
    """What was told of the server last."""
    if event is None:
        nothing = "no change of it is on record: it is as it was found in the table, or not judged yet"
        yield from _titled("Told", [nothing], page)
        return
    with understood():
        when, kind = stamp(float(event["at"])), str(event["kind"])
        found = [answers.outcome(outcome) for outcome in event.get("outcomes") or ()]
        edits = [str(edit) for edit in event.get("edits") or ()]
        left = f"; {event['available']} of {event['configured']} servers available then" if "available" in event else ""
        change = f"{event['old']} -> {event['new']}{left}" if event.get("new") else str(event["text"])
    yield from _titled(f"Told {when}", [f"{kind}: {change}"], page)
    if found:
        number = "the outcome" if len(found) == 1 else f"{len(found)} outcomes"
        alike = Counter(f"{outcome.status}: {outcome}" for outcome in found)
        said = [f"{count} times {text}" if count > 1 else text for text, count in alike.items()]
        yield from _titled(f"After {number} of check {one_line(str(event.get('check', '')))}", said, page)
    if edits:
        yield from _titled("Edits of the table", edits, page)


def _titled(title: str, texts: Iterable[str], page: Page) -> Iterator[str]:
    yield ""
    yield page.paint(f"{title}:", "bold")
    for text in texts:
        yield from (f"  {part}" for part in columns.folded(one_line(text), page.width - 2) or [""])
