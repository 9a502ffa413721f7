"""One act of an operator: asked for, and its result printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from healthd.cli import output
from healthd.cli.answers import understood
from healthd.cli.client import Client, path_of

PATIENCE = 60.0
"""Seconds for an act: the daemon may have to read a large configuration."""


def act(
    client: Client, name: str, content: Mapping[str, Any], output_format: str, *, quiet: bool = False
) -> dict[str, Any]:
    """The daemon's answer, printed unless it is to be `quiet`.

    Raises:
        Problem: it could not be asked, or refuses.

    """
    answer = client.post(path_of(name), content, PATIENCE)
    with understood():
        done, edits = [str(text) for text in answer["done"]], [str(text) for text in answer.get("edits", ())]
        failed = [str(text) for text in answer.get("failed", ())]
    if quiet:
        pass
    elif output_format == "json":
        output.say_json(answer)
    else:
        _say([*done, *failed], edits)
    return {"done": done, "edits": edits, **({"failed": failed} if failed else {})}


def _say(done: list[str], edits: list[str]) -> None:
    """The texts name most of the edits already."""
    shown = [*done, *(edit for edit in edits if not any(edit in text for text in done))]
    for text in shown:
        output.say_folded(text)
