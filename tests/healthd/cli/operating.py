"""A real daemon over a table in memory, and the commands that ask it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Self

from tests.healthd.cli.configurations import Port, Site
from tests.healthd.cli.processes import COMMAND, Running, called, environment, wait
from tests.support.terminal import Terminal

QUICK = 'interval = "2s"\nfast_interval = "200ms"\ntimeout = "2s"\nfall = 2\nrise = 2'


class Director:
    """Two services: `web` of three servers, `mail` of one; the ports of `web` can be closed."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder)
        self.ports: list[Port] = []
        self._stack = ExitStack()
        self.process: Running | None = None

    def __enter__(self) -> Self:
        self._stack.enter_context(self.site)
        try:
            self._prepare()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _prepare(self) -> None:
        self.ports = [self.site.port() for _ in range(3)]
        self.site.service("web", *self.ports, more=QUICK)
        self.mail = self.site.port()
        self.site.service("mail", self.mail, check='{ type = "always" }')
        self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._stack.close()

    def start(self) -> None:
        self.process = Running("run", "-c", self.site.path)
        for port in (*self.ports, self.mail):
            self.process.said(f"{port.where} unknown -> up")

    def stop(self) -> None:
        """As if it had crashed."""
        if self.process is not None:
            self.process.__exit__(None, None, None)
            self.process = None

    def said(self, text: str) -> str:
        assert self.process is not None
        return self.process.said(text)

    def kept(self, text: str) -> None:
        """Waits until what must survive has been written."""
        path = self.site.state_dir / "daemon.json"
        wait(lambda: path.exists() and text in path.read_text())

    def close(self, *numbers: int) -> None:
        """Closes ports of `web`, and waits until that is seen: an answer may be half a second old."""
        for number in numbers:
            self.ports[number].close()
            self.said(f"{self.ports[number].where} up -> down")
        wait(lambda: all(self.server(self.ports[number].where)["health"] == "down" for number in numbers))

    def run(self, *arguments: str | Path) -> CompletedProcess[str]:
        return called(*arguments, "-c", self.site.path)

    def ok(self, *arguments: str | Path) -> str:
        """What a command that does its work prints."""
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--format", "json").stdout)

    def server(self, name: str) -> Any:
        """One server of `web`, by its number, as the status has it."""
        return self.json("show", f"web/{name}")

    def terminal(self, *arguments: str, columns: int = 120, rows: int = 30) -> Terminal:
        command = (*COMMAND, *arguments, "-c", str(self.site.path))
        return Terminal(command, columns, rows, environment())
