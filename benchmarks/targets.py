"""What is asked in a benchmark, on every address of 127.0.0.0/8, and how it counts who was asked."""

from __future__ import annotations

import random
import re
import socket
import subprocess
import urllib.request
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import trustme

from benchmarks.processes import running, until

PORTS = ("plain", "tls", "resuming", "status")
"""Of nginx: a page in plain HTTP, over TLS without session resumption and with it, and the number of connections."""

_PROGRAMS = Path(__file__).parent / "programs"
_RECORD = 16


def address(number: int) -> str:
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"


@dataclass(frozen=True, slots=True)
class Target:
    """`count()` is how many checks have arrived so far. `log` holds each of them, where they are logged."""

    port: int
    count: Callable[[], int]
    log: Path | None = None


def built(folder: Path, source: str, *flags: str) -> Path:
    """One of programs/*.c, compiled into the folder."""
    made = folder / Path(source).stem
    subprocess.run(["gcc", "-O2", *flags, "-o", str(made), str(_PROGRAMS / source)], check=True)
    return made


@contextmanager
def nginx(folder: Path, port: str = "plain") -> Iterator[Target]:
    """The target is one of PORTS. Connections to all of them are counted together."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    certificate = trustme.CA().issue_cert("localhost", "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    (folder / "nginx.conf").write_text(_NGINX.format(d=folder, **ports))
    command = ["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.err")]
    with running(command, folder / "nginx.log") as server:
        until(lambda: server.ended or _bound(ports["plain"], "tcp"), "nginx listens", 10)
        if server.ended:
            raise ChildProcessError(f"nginx does not run: {(folder / 'nginx.err').read_text()}")
        yield Target(ports[port], _Status(ports["status"]).accepted)


_NGINX = """
worker_processes 1; worker_rlimit_nofile 20000; daemon off; error_log {d}/nginx.err crit; pid {d}/nginx.pid;
events {{ worker_connections 16000; }}
http {{
  access_log off; ssl_certificate {d}/server.pem; ssl_certificate_key {d}/server.pem; default_type text/plain;
  client_body_temp_path {d}/t1; proxy_temp_path {d}/t2; fastcgi_temp_path {d}/t3; uwsgi_temp_path {d}/t4;
  scgi_temp_path {d}/t5;
  server {{ listen 127.0.0.1:{status}; location / {{ stub_status; }} }}
  server {{
    listen {plain} backlog=16000; listen {tls} ssl backlog=16000;
    ssl_session_cache off; ssl_session_tickets off; location / {{ return 200 "OK healthy\\n"; }}
  }}
  server {{
    listen {resuming} ssl backlog=16000;
    ssl_session_cache shared:s:64m; ssl_session_tickets on; location / {{ return 200 "OK healthy\\n"; }}
  }}
}}
"""


class _Status:
    """nginx's own count of connections, without those that ask for it."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/"
        self.asked = 0

    def accepted(self) -> int:
        with urllib.request.urlopen(self._url, timeout=5) as page:
            found = re.search(rb"\n\s*(\d+)\s+\d+\s+\d+", page.read())
        assert found, "nginx says how many connections there were"
        self.asked += 1
        return int(found[1]) - self.asked


@contextmanager
def logging(folder: Path, kind: str) -> Iterator[Target]:
    """programs/target.c: a server of its own kind, with a log of who was asked when."""
    log = folder / f"{kind}.asked"
    log.touch()
    (port,) = free_ports(1)
    command = [str(built(folder, "target.c")), kind, str(port), str(log)]
    with running(command, folder / "target.log") as server:
        until(lambda: server.ended or _bound(port, "udp" if kind == "dns" else "tcp"), "target is there", 5)
        if server.ended:
            raise ChildProcessError(f"the target does not run: {server.log.read_text()}")
        yield Target(port, lambda: log.stat().st_size // _RECORD, log)


@contextmanager
def unattended() -> Iterator[int]:
    """A port on which the kernel makes connections that no program is told of: what is asked costs next to nothing.

    A connection that brings no data is kept back (TCP_DEFER_ACCEPT, tcp(7)), and forgotten at a reset, with which a
    tcp check ends. It is good for nothing else.
    """
    (port,) = free_ports(1)
    with socket.socket() as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
        listener.bind(("", port))
        listener.listen(16384)
        yield port


@contextmanager
def counted_program(folder: Path) -> Iterator[Target]:
    """programs/ran.c, to be run as a check: does as little as /bin/true, and is counted."""
    built(folder, "ran.c")
    runs = folder / "runs"
    runs.touch()
    yield Target(0, lambda: runs.stat().st_size)


@contextmanager
def echo() -> Iterator[Target]:
    """The kernel itself, which answers pings to every address of 127.0.0.0/8, and counts those of all of us."""
    yield Target(0, _echoes)


def _echoes() -> int:
    lines = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Icmp:")]
    return int(dict(zip(*lines, strict=True))["InEchos"])


def arrivals(log: Path) -> dict[int, list[int]]:
    """For each address asked, the times in nanoseconds, in order."""
    records = array("Q")
    data = log.read_bytes()
    records.frombytes(data[: len(data) // _RECORD * _RECORD])
    found: dict[int, list[int]] = {}
    for when, asked in zip(records[::2], records[1::2], strict=True):
        found.setdefault(asked, []).append(when)
    return found


def free_ports(count: int) -> list[int]:
    """Below the range that connections take theirs from (ip_local_port_range), so that none of them is in the way."""
    found: list[int] = []
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            found.append(port)
    return found[:count]


def _bound(port: int, protocol: str) -> bool:
    """Seen without a connection, which would be counted."""
    state = {"tcp": "0A", "udp": "07"}[protocol]  # net/tcp_states.h: TCP_LISTEN, TCP_CLOSE
    wanted = re.compile(rf"^ *\d+: [0-9A-F]+:{port:04X} \S+ {state} ", re.MULTILINE)
    return wanted.search(Path(f"/proc/net/{protocol}").read_text()) is not None
