"""The programs that are compared, as commands, and their versions."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import kinds, targets
from benchmarks.kinds import Kind

HEALTHD = (sys.executable, "-m", "healthd")


@dataclass(frozen=True, slots=True)
class Subject:
    """`settings` are keys of healthd's [healthd]."""

    name: str
    settings: str = ""

    def command(self, kind: Kind, servers: int, port: int, folder: Path, interval: int) -> Command:
        """Writes the configuration and says how to run the program on it."""
        if self.name == "keepalived":
            config = kinds.keepalived(kind, servers, port, folder, interval)
            return keepalived(config, folder, shim=folder / "ipvs_shim")
        config = kinds.healthd(kind, servers, port, folder, interval, self.settings)
        return Command((*HEALTHD, "run", "-c", str(config)))


@dataclass(frozen=True, slots=True)
class Command:
    words: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


def keepalived(config: Path, folder: Path, *, shim: Path | None = None) -> Command:
    pids = ("-p", str(folder / "keepalived.pid"), "-c", str(folder / "checkers.pid"))
    environment = {"LD_PRELOAD": str(shim)} if shim else {}
    return Command(("keepalived", "-C", "-n", "-l", "-f", str(config), *pids), environment)


def build_shim(folder: Path) -> None:
    targets.built(folder, "ipvs_shim.c", "-shared", "-fPIC", "-ldl")


def versions(*programs: str) -> list[str]:
    """Of those programs; of healthd always, with the commit."""
    commit = _said(["git", "describe", "--always", "--dirty"]).strip() or "no commit"
    found = [f"{_said([*HEALTHD, '--version']).strip()} ({commit})", f"Python {sys.version.split()[0]}"]
    found += [f"{program} {_VERSION[program]()}" for program in programs]
    return found


def _of_package(package: str) -> str:
    """Debian's own version, as its patches are a part of what runs."""
    return _said(["dpkg-query", "-W", "-f", "${Version}", package]).strip() or "not installed"


_VERSION = {
    "keepalived": lambda: _of_package("keepalived"),
    "ldirectord": lambda: _of_package("ldirectord"),
    "mon": lambda: _of_package("mon"),
    "curl": lambda: _of_package("curl"),
    "nginx": lambda: "".join(re.findall(r"nginx/(\S+)", _said(["nginx", "-v"]))),
}


def _said(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except FileNotFoundError:
        return ""
    return done.stdout + done.stderr
