"""The command line. Each command is a file here, imported only when it is called, so that `healthd --help` is cheap.

A command returns its exit status, or raises `Problem`. Only `main` ends the process.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import NamedTuple, cast

import click

from healthd import __version__
from healthd.cli.exits import Exit, Problem, ReaderGone


class _Entry(NamedTuple):
    place: str
    summary: str


COMMANDS = {
    "run": _Entry("healthd.cli.run:run", "Check every real server and keep the IPVS table true."),
    "status": _Entry("healthd.cli.status:status", "How the servers are, and everything that is unusual."),
    "top": _Entry("healthd.cli.top:top", "The same, live: sort, filter, look into one."),
    "show": _Entry("healthd.cli.show:show", "Everything about one service or one server."),
    "explain": _Entry("healthd.cli.explain:explain", "Why a server is in its state, or was at some time."),
    "history": _Entry("healthd.cli.history:history", "What has happened."),
    "events": _Entry("healthd.cli.events:events", "What happens, while it happens."),
    "drain": _Entry("healthd.cli.acts:drain", "Take servers out without losing a connection."),
    "maint": _Entry("healthd.cli.acts:maint", "Put servers in maintenance."),
    "ready": _Entry("healthd.cli.acts:ready", "End drain and maintenance."),
    "weight": _Entry("healthd.cli.acts:weight", "Set another weight than the configured one."),
    "check-now": _Entry("healthd.cli.acts:check_now", "Run the checks of servers at once."),
    "freeze": _Entry("healthd.cli.daemonwide:freeze", "Observe, and touch nothing."),
    "thaw": _Entry("healthd.cli.daemonwide:thaw", "End a freeze."),
    "reload": _Entry("healthd.cli.daemonwide:reload", "Have the daemon read its configuration again."),
    "plan": _Entry("healthd.cli.plan:plan", "What a configuration would change."),
    "alert": _Entry("healthd.cli.alert:alert", "Try the channels of alerts."),
    "check": _Entry("healthd.cli.check:check", "One round of every check, for cron and scripts."),
    "config": _Entry("healthd.cli.config:config", "Check a configuration, or print its JSON Schema."),
    "probe": _Entry("healthd.cli.probe:probe", "One check of one server, step by step."),
    "completion": _Entry("healthd.cli.completion:completion", "Completion for bash, zsh and fish."),
    "demo": _Entry("healthd.cli.demo:demo", "See healthd at work on three small servers of its own."),
}


class _Commands(click.Group):
    """Imports a command when it is called; the list of them needs no import."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].place.partition(":")
        return cast("click.Command", getattr(import_module(module), name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches  # noqa: PLC0415 - seldom needed

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f'did you mean "{near[0]}"?' if near else "`healthd --help` lists them"
            raise click.UsageError(f"{error.message.rstrip('.')}; {hint}", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="healthd %(version)s")
def healthd() -> None:
    """Keeps the kernel's IPVS table true to the health of its real servers."""


def main(arguments: list[str] | None = None) -> None:
    """The program `healthd`. Always ends with SystemExit."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # they are text files in a program
    sys.exit(_status(arguments))


def _status(arguments: list[str] | None) -> int:
    try:
        return int(healthd.main(arguments, prog_name="healthd", standalone_mode=False) or 0)
    except click.UsageError as error:
        error.show()
        return Exit.USAGE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Problem as problem:
        for message in problem.messages:
            print(message, file=sys.stderr)
        return problem.status
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except ReaderGone:
        # What is still in the buffer would fail once more while Python shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.READER_GONE
