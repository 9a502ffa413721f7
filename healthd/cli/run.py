"""`healthd run`: the daemon, in the foreground. A service manager starts it; it logs to standard error."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import sys
from pathlib import Path

import click

from healthd import descriptors, log
from healthd.cli import options
from healthd.cli.exits import Exit, Problem
from healthd.cli.opening import held, load_config, opened_table
from healthd.config.apart import load_apart
from healthd.control.listening import ControlUnavailable
from healthd.daemon import Daemon
from healthd.systemd.notify import Notifier


@click.command()
@options.configuration
def run(path: Path) -> int:
    """Check every real server and keep the IPVS table true to what is found, until stopped.

    Runs in the foreground and logs to standard error, or to the journal. SIGHUP reloads the configuration; a broken
    one changes nothing and is reported. SIGTERM and SIGINT stop.

    Exit status: 0 stopped by a signal, 64 usage, 69 no IPVS in this kernel, 71 a socket of [control] cannot be made,
    75 another healthd holds the table, 77 not permitted, 78 bad configuration.
    """
    config = load_config(path, load_apart)
    with held(config.settings.state_dir), opened_table(config.settings) as ipvs:
        missing = log.configure(config.settings.log_format, config.settings.log_level, sys.stderr)
        for warning in (*config.warnings, *filter(None, [missing])):
            logging.getLogger("healthd").warning("%s", warning)
        notifier = Notifier.from_environment(os.environ)
        if notifier.watchdog is not None:
            faulthandler.enable()  # where it hung is written down when the watchdog's SIGABRT ends it
        descriptors.raise_limit()
        try:
            asyncio.run(Daemon(config, path, ipvs, notifier=notifier).run())
        except ControlUnavailable as error:
            raise Problem(Exit.CANNOT_LISTEN, *(f"healthd: {message}" for message in error.messages)) from error
    return Exit.OK
