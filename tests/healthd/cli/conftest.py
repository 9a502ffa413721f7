import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.healthd.cli.configurations import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A configuration with a table in memory, of servers that are up or down as the test wants them."""
    with Site(tmp_path) as made:
        yield made


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"OK\n"
        self.send_response(200 if self.path == "/health" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@contextmanager
def web_server(address: str) -> Iterator[HTTPServer]:
    """A real HTTP server: 200 for /health, 404 for all else."""

    class Server(HTTPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

    with Server((address, 0), _Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def web() -> Iterator[HTTPServer]:
    with web_server("127.0.0.1") as server:
        yield server


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server on loopback that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
