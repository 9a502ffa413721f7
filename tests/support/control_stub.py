"""Somebody at the daemon's socket who answers as a test wants: well, wrongly, slowly, or not at all."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


class Stub(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """`answers` are by "METHOD /path": what JSON can hold, or bytes that go out as they are; `asked` is what came."""

    daemon_threads = True
    block_on_close = True
    request_queue_size = 50

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Handler)
        self.path = path
        self.answers: dict[str, Any] = {}
        self.status = 200
        self.asked: list[tuple[str, dict[str, list[str]], Any]] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.done = threading.Event()
        """Set when the test is over: who is kept waiting waits for this."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
        self.path.unlink(missing_ok=True)


def one_after_the_other(*answers: Any) -> Callable[[object], Any]:
    """An answer for each question; the last of them stays."""
    left = list(answers)
    return lambda _handler: left.pop(0) if len(left) > 1 else left[0]


class _Handler(BaseHTTPRequestHandler):
    server: Stub

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        parts = urlsplit(self.path)
        stub = self.server
        stub.asked.append((f"{self.command} {parts.path}", parse_qs(parts.query), body))
        answer = stub.answers.get(f"{self.command} {parts.path}")
        if callable(answer):
            answer = answer(self)
        if isinstance(answer, bytes):
            if answer:  # else it has gone out by itself, and the peer may have too
                self.wfile.write(answer)
            return
        found = {"error": {"status": "not_found", "messages": ["no such thing"]}} if answer is None else answer
        content = json.dumps(found).encode()
        self.send_response(404 if answer is None else stub.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def address_string(self) -> str:
        return "a process of this machine"

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""
