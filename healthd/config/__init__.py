"""The configuration: files in, one typed value out, or everything that is wrong with them in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from healthd.config.findings import ConfigError, Document, Findings, Place
from healthd.config.values import Config

__all__ = ["Config", "ConfigError", "load", "schema"]


def load(path: Path) -> Config:
    """The configuration in the file or folder at `path`.

    Messages are lines `FILE:LINE: KEY: what is wrong`, by file and line, with the file as `path` names it.

    Raises:
        ConfigError: with one message for each error in any of the files.

    """
    # Worker processes need the values alone, and this takes longer to import than all the rest of theirs.
    from healthd.config.documents import read  # noqa: PLC0415
    from healthd.config.resolve import resolve  # noqa: PLC0415
    from healthd.config.sections import gather  # noqa: PLC0415

    findings = Findings()
    whole = Place(Document(0, path))
    files = read(path, findings)
    config = resolve(gather(files, whole, findings), whole, findings)
    findings.raise_errors()
    return config


def schema() -> dict[str, Any]:
    """The JSON Schema of a configuration file, for the TOML plug-in of an editor."""
    from healthd.config.jsonschema import schema as made  # noqa: PLC0415 - only one command needs it

    return made()
