"""The real servers of a test network: what runs in their namespaces, and what can befall it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from tests.kernel.namespaces import Namespace, Switch
from tests.kernel.waiting import eventually

HTTP, DNS = 80, 53
_PROGRAM = Path(__file__).with_name("real_server.py")


class RealServer(Namespace):
    """A namespace with a server in it; it runs from the beginning."""

    def __init__(self, name: str, switch: Switch, address: str, address6: str) -> None:
        super().__init__(name)
        self.address, self.address6 = address, address6
        self._switch = switch
        self._process: subprocess.Popen[str] | None = None
        switch.connect(self, [f"{address}/24", f"{address6}/64"])

    def start(self) -> None:
        """Starts the server anew, with its first answers, and returns when it can be asked."""
        command = [sys.executable, "-S", "-E", str(_PROGRAM), self.name, str(HTTP), str(DNS)]
        self._process = self.popen(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._line() == "ready"

    def kill(self) -> None:
        """SIGKILL: the kernel then refuses connections in its place."""
        if self._process is None:
            return
        group = self._process.pid
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        self._process.wait()
        eventually(lambda: _gone(group), f"every process of {self.name} is gone")
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._process = None

    def stop(self) -> None:
        """SIGSTOP: connections are still accepted by the kernel, and nothing answers."""
        os.killpg(self._running().pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self._running().pid, signal.SIGCONT)

    def unplug(self) -> None:
        self._switch.unplug(self)

    def plug(self) -> None:
        self._switch.plug(self)

    def answer(self, status: int = 200, text: str | None = None, *, path: str = "/") -> None:
        """How the server answers from now on; well again without arguments."""
        self.answer_in_turn([(status, "OK " + self.name if text is None else text)], path=path)

    def answer_in_turn(self, answers: Sequence[tuple[int, str]], *, path: str = "/") -> None:
        """Each request for the path gets the next of these, and after the last the first again."""
        self._order({"path": path, "answers": answers})

    def answer_dns(self, code: int) -> None:
        """The response code of DNS answers: 0 no error, 2 server failure, 3 no such domain, ..."""
        self._order({"dns": code})

    def requests(self, path: str = "/") -> int:
        """How many requests there have been for the path."""
        return int(self._order({"count": path}))

    def _order(self, order: object) -> str:
        _pipe(self._running().stdin).write(json.dumps(order) + "\n")
        _pipe(self._running().stdin).flush()
        return self._line()

    def _line(self) -> str:
        return _pipe(self._running().stdout).readline().strip()

    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None, f"{self.name} is not running"
        return self._process


class Nginx(RealServer):
    """nginx in place of the small server: HTTP only, static pages, and an error for all of them where one is asked."""

    def __init__(self, name: str, switch: Switch, address: str, address6: str) -> None:
        super().__init__(name, switch, address, address6)
        self._folder = Path(os.environ.get("TMPDIR", "/tmp"), f"nginx-{name}")

    def start(self) -> None:
        (self._folder / "pages").mkdir(parents=True, exist_ok=True)
        self.answer()
        (self._folder / "conf").write_text(_NGINX.replace("FOLDER", str(self._folder)))
        self._process = self.popen("nginx", "-c", f"{self._folder}/conf", "-e", f"{self._folder}/error")
        eventually(lambda: f":{HTTP} " in self.run("ss", "-Hltn"), "nginx listens")

    def answer_in_turn(self, answers: Sequence[tuple[int, str]], *, path: str = "/") -> None:
        ((status, text),) = answers
        for flag in self._folder.glob("[3-5]??"):
            flag.unlink()
        if status == 200:
            new = self._folder / "new"
            new.write_text(text)
            new.rename(self._folder / "pages" / (path.strip("/") or "index"))
        else:
            (self._folder / str(status)).touch()


_NGINX = """
daemon off; user root; worker_processes 1; pid FOLDER/pid;
events {}
http { access_log off; server {
  listen 80; listen [::]:80; root FOLDER/pages; default_type text/plain;
  location / {
    if (-f FOLDER/403) { return 403; }
    if (-f FOLDER/404) { return 404; }
    if (-f FOLDER/500) { return 500; }
    if (-f FOLDER/503) { return 503; }
    try_files $uri /index =404;
  }
} }
"""


def _gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None, "this server takes no orders"
    return pipe
