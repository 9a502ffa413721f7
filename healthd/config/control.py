"""From the table [control] to where healthd listens, and whom it lets in."""

from __future__ import annotations

import grp
import ipaddress
import stat
from pathlib import Path

from checkers.base import show
from healthd.config.access import ControlConfig, Token
from healthd.config.documents import reason
from healthd.config.findings import Findings, Place
from healthd.config.models import ControlTable
from healthd.config.reach import LONGEST_SOCKET
from healthd.config.sections import Read, Section, read
from healthd.config.tokens import tokens
from healthd.config.words import meant
from healthd.model import Endpoint

SOCKET = "control.sock"
_FOR_LISTENERS = ("names", "tls_cert", "tls_key", "tokens_file")


def control(section: Section, state_dir: Path, findings: Findings) -> ControlConfig:
    """What the table says; of use only if `findings` has no error."""
    given = read(section, ControlTable, findings)
    table = given.table
    path = table["socket"] if "socket" in table else _default(given, state_dir, findings)
    listen = table.get("listen", ())
    known = _tokens(given, findings)
    for key, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        if key in section.data and other not in section.data:
            findings.error(section.at((key,)), f"needs {other}: the two belong together")
        if key in table:
            _look(given, key, findings)
    _reach(given, listen, findings)
    if path is None and "group" in section.data:
        findings.warn(section.at(("group",)), 'is of no use with socket = "off"')
    return ControlConfig(
        socket=path,
        group=_group(given, findings),
        listen=listen,
        names=table.get("names", ()),
        tls_cert=table.get("tls_cert"),
        tls_key=table.get("tls_key"),
        tokens_file=table.get("tokens_file"),
        tokens=known,
    )


def loopback(endpoint: Endpoint) -> bool:
    """Whether nobody but this machine can reach it."""
    return ipaddress.ip_address(endpoint.address).is_loopback


def _default(given: Read[ControlTable], state_dir: Path, findings: Findings) -> Path | None:
    path = state_dir / SOCKET
    if "socket" not in given.section.data and len(bytes(path)) > LONGEST_SOCKET:
        text = f"{show(str(path), 4096)} would be {len(bytes(path))} bytes long, and the path of a socket has at most "
        place = Place(given.section.place.document, ("control", "socket"))
        findings.error(place, f'{text}{LONGEST_SOCKET}; give it a shorter one, or "off"')
    return path


def _group(given: Read[ControlTable], findings: Findings) -> int | None:
    name = given.table.get("group")
    if name is None:
        return None
    if name.isdecimal():
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        near = meant(name, [entry.gr_name for entry in grp.getgrall()])
        findings.error(given.section.at(("group",)), f"there is no group named {show(name)} on this machine{near}")
        return None


def _tokens(given: Read[ControlTable], findings: Findings) -> tuple[Token, ...] | None:
    path = given.table.get("tokens_file")
    if path is None:
        return ()
    usable = _look(given, "tokens_file", findings)
    return tokens(path, given.section.at(("tokens_file",)), findings) if usable else ()


def _reach(given: Read[ControlTable], listen: tuple[Endpoint, ...], findings: Findings) -> None:
    """No listener beyond this machine without tokens, and a word where they would cross the network in clear."""
    section = given.section
    if "listen" not in section.data:
        for key in _FOR_LISTENERS:
            if key in section.data:
                findings.warn(section.at((key,)), "is of no use without listen")
        return
    for index, endpoint in enumerate(listen):
        place = section.at(("listen", index))
        if loopback(endpoint):
            continue
        if "tokens_file" not in section.data:
            findings.error(
                place,
                f'"{endpoint}" can be reached from other machines, so it needs tokens_file; '
                "without it healthd listens on loopback addresses only, such as 127.0.0.1, and only answers there",
            )
        elif "tls_cert" not in section.data:
            findings.warn(place, f'tokens will cross the network to "{endpoint}" in clear; set tls_cert and tls_key')


def _look(given: Read[ControlTable], key: str, findings: Findings) -> bool:
    """Says of a file what can be said without reading it; what this user may not even see is the daemon's matter."""
    path, place = given.table[key], given.section.at((key,))  # type: ignore[literal-required] # one of three keys
    try:
        mode = path.stat().st_mode
    except PermissionError:
        return True
    except OSError as error:
        findings.error(place, f"{show(str(path), 4096)} cannot be used: {reason(error)}")
        return False
    if not stat.S_ISREG(mode):
        findings.error(place, f"{show(str(path), 4096)} is not a file")
        return False
    if key != "tls_cert" and mode & stat.S_IROTH:
        findings.warn(place, f"everybody on this machine can read {show(str(path), 4096)}; run chmod o-r on it")
    return True
