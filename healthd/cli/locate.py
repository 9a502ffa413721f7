"""Where the daemon is to be asked: a socket, or a URL with a token. Nothing is opened here but files."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from healthd.cli.exits import Exit, Problem

STATE_DIR = Path("/var/lib/healthd")
SOCKET = "control.sock"
"""Its name in state_dir, unless `[control] socket` names another."""

LONGEST_TOKEN_FILE = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """A socket, or a host with a port; `because` says how it was found."""

    because: str
    path: Path | None = None
    host: str = ""
    port: int = 0
    tls: bool = False
    token: str = field(default="", repr=False)

    def __str__(self) -> str:
        if self.path is not None:
            return str(self.path)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


def by_url(url: str, token_file: Path | None) -> Place:
    """The place that `--server URL` names.

    Raises:
        UsageError: it is no such URL.
        Problem: the token cannot be read.

    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise click.UsageError(f'--server "{url}": {error}') from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise click.UsageError(f'--server "{url}": expected a URL such as http://127.0.0.1:9080 or https://lb1:9080')
    tls = parts.scheme == "https"
    token = "" if token_file is None else _token(token_file)
    return Place("--server", host=parts.hostname, port=port or (443 if tls else 80), tls=tls, token=token)


def _token(path: Path) -> str:
    """The last word of the file's first line: so a line of the daemon's own file of tokens will do too."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST_TOKEN_FILE)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise Problem(Exit.NOT_PERMITTED, f"healthd: the token cannot be read from {path}: {reason}") from error
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or not lines[0].isascii():
        raise Problem(Exit.USAGE, f"healthd: {path} holds no token; expected one line with it")
    return lines[0].split()[-1]


def by_configuration(path: Path) -> Place:
    """The socket of a daemon that runs with the configuration at `path`.

    A broken configuration, or one that this user may not read, is no reason not to ask the daemon, which runs with
    the one before: what can be read is taken, and otherwise the default.
    """
    state_dir, because = STATE_DIR, "the default state_dir"
    named = ""
    for file, tables in _read(path):
        if isinstance(found := _value(tables, "healthd", "state_dir"), str):
            state_dir, because = Path(found), f"state_dir in {file}"
        if isinstance(found := _value(tables, "control", "socket"), str):
            named, because = found, f"[control] socket in {file}"
    if named == "off":
        raise Problem(
            Exit.UNAVAILABLE,
            f'healthd: {because} is "off": this daemon can be asked over TCP alone, with --server URL --token-file F',
        )
    return Place(because, path=state_dir / (named or SOCKET))


def _read(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    import tomli  # noqa: PLC0415 - not needed where the socket is named

    try:
        files = sorted(path.glob("[!.]*.toml")) if path.is_dir() else [path]
    except OSError:
        return
    for file in files:
        try:
            yield file, tomli.loads(file.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError):
            continue


def _value(tables: dict[str, Any], table: str, key: str) -> Any:
    found = tables.get(table)
    return found.get(key) if isinstance(found, dict) else None


def by_environment() -> Place | None:
    """The socket that $HEALTHD_SOCKET names."""
    named = os.environ.get("HEALTHD_SOCKET", "")
    return Place("$HEALTHD_SOCKET", path=Path(named)) if named else None


def group_and_mode(path: Path) -> str:
    """`mode 660, owner root, group healthd`, as far as the file lets itself be looked at; else nothing."""
    import grp  # noqa: PLC0415 - only where permission is denied
    import pwd  # noqa: PLC0415

    try:
        found = path.stat()
    except OSError:
        return ""
    try:
        owner, group = pwd.getpwuid(found.st_uid).pw_name, grp.getgrgid(found.st_gid).gr_name
    except KeyError:
        owner, group = str(found.st_uid), str(found.st_gid)
    return f"mode {found.st_mode & 0o777:o}, owner {owner}, group {group}"


def connected(place: Place, seconds: float) -> socket.socket:
    """A stream to the daemon, which takes at most `seconds` for each step.

    Raises:
        OSError: there is none.

    """
    if place.path is None:
        return socket.create_connection((place.host, place.port), seconds)
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        stream.settimeout(seconds)
        stream.connect(str(place.path))
    except BaseException:
        stream.close()
        raise
    return stream
