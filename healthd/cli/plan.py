"""`healthd plan`: what a configuration would do, before it does."""

from __future__ import annotations

from pathlib import Path

import click

from healthd.cli import options, output
from healthd.cli.acting import PATIENCE
from healthd.cli.answers import understood
from healthd.cli.client import Client, path_of
from healthd.cli.exits import Exit, Problem
from healthd.printable import one_line


@click.command()
@click.option(
    "-c",
    "--config",
    "new",
    metavar="NEW",
    type=click.Path(path_type=Path),
    help="The configuration to look at.  [default: the daemon's own, as it is now]",
)
@options.output_format
@options.daemon_besides
def plan(*, client: Client, new: Path | None, output_format: str) -> int:
    """Show the edits of the table and the other effects that a reload would have now.

    With -c NEW it is the configuration at NEW that is looked at; the daemon reads it, so it has to be readable for
    the daemon's user. Nothing is changed.

    Exit status: 0 it is good, 64 usage, 69 no daemon, 70 it failed, 77 not permitted, 78 it has errors, each a line
    on standard error.
    """
    named = None if new is None else str(new.absolute())
    answer = client.post(path_of("plan"), {"path": named}, PATIENCE)
    with understood():
        found = {key: [str(text) for text in answer[key]] for key in ("edits", "effects", "errors", "warnings")}
    if output_format == "json":
        output.say_json(answer)
    else:
        _say(found)
    if found["errors"]:
        raise Problem(Exit.BAD_CONFIGURATION, *map(one_line, found["errors"]))
    return Exit.OK


def _say(found: dict[str, list[str]]) -> None:
    for warning in found["warnings"]:
        output.say_folded(f"warning: {warning}", "yellow")
    if found["errors"]:
        return
    if not found["edits"] and not found["effects"]:
        output.say("Nothing would change.")
    for effect in found["effects"]:
        output.say_folded(effect)
    if found["edits"]:
        output.say("\nEdits of the table:" if found["effects"] else "Edits of the table:")
    for edit in found["edits"]:
        output.say(f"  {edit}")
