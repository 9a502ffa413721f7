"""healthd(8): what the commands say of themselves, and tables from docs/commands.md."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from healthd.cli import healthd
from manual.roff import Page

DOCS = Path(__file__).parent.parent / "docs"
COMMANDS = DOCS / "commands.md"

_FILES = (
    ("/etc/healthd/conf.d/*.toml", "The configuration, see `healthd.toml`(5)."),
    ("/etc/healthd/plugins", "Python modules with kinds of check of one's own."),
    ("/var/lib/healthd", "The lock, the control socket, the history, and what is remembered over a restart."),
    ("/usr/share/doc/healthd", "How to operate it, metrics, alerts, the control interface, checkers of one's own."),
)
_ENVIRONMENT = (
    ("NOTIFY_SOCKET, WATCHDOG_USEC", "Set by systemd: who is told what becomes of the service, `sd_notify`(3)."),
    ("CREDENTIALS_DIRECTORY", "Set by systemd: where `credential:NAME` in the configuration is found."),
    ("NO_COLOR", "Set to anything: no colours."),
)


def program() -> Page:
    page = Page("healthd", 8, "keeps the IPVS table true to the health of its real servers")
    page.heading("SYNOPSIS")
    page.paragraph("`healthd` COMMAND [OPTION]...")
    page.heading("DESCRIPTION")
    page.paragraph(
        "Runs beside a Linux Virtual Server director, checks every real server behind every virtual service, and edits "
        "the kernel's IPVS table: a sick server gets weight 0 or is removed, a recovered one comes back, a fallback "
        "server steps in when none is left. Reading and editing the table needs CAP_NET_ADMIN."
    )
    page.heading("COMMANDS")
    for name, command in commands(healthd, "healthd"):
        _describe(page, name, command)
    page.heading("SIGNALS")
    page.items(table("## healthd run", "signal"))
    page.heading("EXIT STATUS")
    page.items(table("## Exit statuses", "status"))
    page.heading("FILES")
    page.items(_FILES)
    page.heading("ENVIRONMENT")
    page.items(_ENVIRONMENT)
    page.heading("SEE ALSO")
    page.paragraph("`healthd.toml`(5), `healthd-checkers`(7), `ipvsadm`(8), `systemd.service`(5)")
    return page


def commands(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, under its whole name."""
    context = click.Context(group, info_name=prefix)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")
        elif command is not None and not command.hidden:
            yield f"{prefix} {name}", command


def _describe(page: Page, name: str, command: click.Command) -> None:
    context = click.Context(command, info_name=name)
    page.subheading(" ".join([name, *command.collect_usage_pieces(context)]))
    page.prose(inspect.cleandoc(command.help or ""))
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None:
            page.item(*record)


def table(section: str, first: str, page: Path = COMMANDS) -> Iterator[tuple[str, str]]:
    """The rows of the table in that section of a page of docs/ whose first column is headed so.

    Raises:
        LookupError: there is none any more.

    """
    text = page.read_text(encoding="utf-8").partition(f"\n{section}\n")[2].partition("\n## ")[0]
    _, found, rows = text.partition(f"\n| {first} |")
    if not found:
        raise LookupError(f"{page} has no table of {first} in {section}")
    for line in rows.splitlines()[2:]:
        if not line.startswith("|"):
            return
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", line.strip("| ")).replace("\\|", "\0")
        term, _, about = plain.partition(" | ")
        yield term.replace("`", "").replace("\0", "|"), about.replace("\0", "|")
