"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

configuration = click.option(
    "-c",
    "--config",
    "path",
    metavar="PATH",
    type=click.Path(path_type=Path),
    default=Path("/etc/healthd/conf.d"),
    show_default=True,
    help="The configuration: a TOML file, or a folder of them.",
)

output_format = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the result is printed.",
)
