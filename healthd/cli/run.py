"""`healthd run`: the daemon, in the foreground. A service manager starts it; it logs to standard error."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import click

from healthd import descriptors, log
from healthd.cli import options
from healthd.cli.exits import Exit
from healthd.cli.opening import held, load_config, opened_table
from healthd.daemon import Daemon


@click.command()
@options.configuration
def run(path: Path) -> int:
    """Check every real server and keep the IPVS table true to what is found, until stopped.

    Runs in the foreground and logs to standard error. SIGHUP reloads the configuration; a broken one changes
    nothing and is reported. SIGTERM and SIGINT stop.

    Exit status: 0 stopped by a signal, 64 usage, 69 no IPVS in this kernel, 75 another healthd holds the table,
    77 not permitted, 78 bad configuration.
    """
    config = load_config(path)
    with held(config.settings.state_dir), opened_table(config.settings) as ipvs:
        log.configure(config.settings.log_format, config.settings.log_level, sys.stderr)
        for warning in config.warnings:
            logging.getLogger("healthd").warning("%s", warning)
        descriptors.raise_limit()
        asyncio.run(Daemon(config, path, ipvs).run())
    return Exit.OK
