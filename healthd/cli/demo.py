"""`healthd demo`: healthd at work, without root, without IPVS, without a network."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import click

from healthd import log
from healthd.cli import output
from healthd.cli.exits import Exit, Problem
from healthd.demo.play import Ending, NotAsExpected, perform


@click.command()
@click.option("--keep", is_flag=True, help="Go on after the last act, until Ctrl-C.")
def demo(*, keep: bool) -> int:
    """See healthd at work on three small servers of its own, which fall sick and recover.

    They listen on loopback, and the table is in memory.

    It needs no root, no IPVS and no network, and takes about 20 seconds.

    Exit status: 0 everything happened as it had to, 1 something did not, 130 interrupted.
    """
    with tempfile.TemporaryDirectory(prefix="healthd-demo-") as name:
        folder = Path(name)
        with (folder / "healthd.log").open("w+") as lines:
            log.configure("text", "info", lines)
            try:
                ending = asyncio.run(perform(folder, output.say, keep=keep))
            except (NotAsExpected, OSError) as error:
                lines.seek(0)
                raise Problem(Exit.FAILED, "healthd's log:", lines.read(), f"healthd demo: FAILED: {error}") from error
    if ending is Ending.INTERRUPTED:
        return Exit.INTERRUPTED
    output.say(f"\nThe demonstration is over: {ending.value}.", "bold green")
    return Exit.OK
