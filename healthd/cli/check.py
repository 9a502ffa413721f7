"""`healthd check --once`: one round, then the table. Made for cron: it speaks only when there is something to say."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

import click

from healthd import log, once
from healthd.cli import options, output, report
from healthd.cli.exits import Exit, Problem
from healthd.cli.opening import held, load_config, opened_table, unwritable
from healthd.clock import SystemClock
from healthd.config import Config
from healthd.once import Round


@click.command()
@click.option("--once", "one_round", is_flag=True, help="One round of every check; needed, for there is no other mode.")
@click.option("--dry-run", is_flag=True, help="Change and keep nothing: print the edits of the table instead.")
@options.output_format
@options.configuration
def check(*, one_round: bool, dry_run: bool, output_format: str, path: Path) -> int:
    """Check every real server once, then hold the IPVS table true to the verdicts.

    Counters are kept in state_dir from run to run, so that `fall` and `rise` work under cron. Prints nothing when
    every server is up and the table had to be edited nowhere; JSON is printed always.

    Exit status: 0 every server up, 1 some server down, 2 some service has no server left, 3 something could not be
    told, 64 usage, 69 no IPVS in this kernel, 74 the table refused an edit, 75 another healthd holds the table,
    77 not permitted, 78 bad configuration.
    """
    if not one_round:
        raise click.UsageError("say `healthd check --once` for one round, or `healthd run` to go on checking")
    config = load_config(path)
    log.configure(config.settings.log_format, "error", sys.stderr)
    with contextlib.nullcontext() if dry_run else held(config.settings.state_dir):
        done = _round(config, dry_run=dry_run)
    if output_format == "json":
        output.say_json(report.as_json(done))
    else:
        _say(done, config, dry_run=dry_run)
    return report.exit_status(done)


def _round(config: Config, *, dry_run: bool) -> Round:
    clock = SystemClock()
    with opened_table(config.settings, once.left_behind(config, clock)) as ipvs:
        try:
            return asyncio.run(once.run_round(config, ipvs, clock, dry_run=dry_run))
        except PermissionError as error:
            raise unwritable(config.settings.state_dir, error) from error
        except OSError as error:
            raise Problem(Exit.TABLE_REFUSED, f"healthd: counters cannot be kept: {error}") from error


def _say(done: Round, config: Config, *, dry_run: bool) -> None:
    """First the whole picture, last what is wrong: the end is what a terminal and a mail's reader see first."""
    if report.exit_status(done) == Exit.OK and not done.edits:
        return
    if rows := list(report.rows(done)):
        output.say_table(report.HEADERS, rows)
    if well := report.count_of_well(done):
        output.say(well)
    if done.edits:
        output.say("\nEdits that a run without --dry-run would make:" if dry_run else "\nTable edited:")
        for edit in done.edits:
            output.say(f"  {edit}")
    fallbacks = {service.name: service.fallback.endpoint for service in config.services if service.fallback}
    if troubles := list(report.troubles(done, fallbacks)):
        output.say()
        for trouble in troubles:
            output.say(trouble)
