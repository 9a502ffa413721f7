"""Network namespaces as objects. Each has its own devices, addresses and IPVS table."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def _set_namespace(descriptor: int) -> None:
    """os.setns came with Python 3.12."""
    if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Namespace:
    """A network namespace, known to `ip netns` by its name until `delete`."""

    def __init__(self, name: str) -> None:
        self.name = name
        subprocess.run(["ip", "netns", "add", name], check=True)
        self._path = f"/run/netns/{name}"
        self.ip("link set lo up")

    def delete(self) -> None:
        """The namespace itself lives on until its last process and socket are gone."""
        subprocess.run(["ip", "netns", "delete", self.name], check=True)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This thread is in the namespace: what it opens and starts belongs there, and stays there."""
        home, there = os.open("/proc/thread-self/ns/net", os.O_RDONLY), os.open(self._path, os.O_RDONLY)
        try:
            _set_namespace(there)
            try:
                yield
            finally:
                _set_namespace(home)
        finally:
            os.close(home)
            os.close(there)

    def run(self, *command: str, check: bool = True, text_in: str | None = None) -> str:
        """What the command printed. A failed one is an error that shows what it said."""
        with self.inside():
            done = subprocess.run(command, capture_output=True, text=True, check=False, input=text_in, timeout=60)
        assert not check or done.returncode == 0, f"{self.name}: {command}: {done.returncode}: {done.stderr}"
        return done.stdout

    def popen(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        """In a process group of its own, so that it can be stopped and killed with its children."""
        with self.inside():
            return subprocess.Popen(command, text=True, start_new_session=True, **options)

    def ip(self, *commands: str) -> None:
        """Does several `ip` commands at the cost of one process."""
        self.run("ip", "-batch", "-", text_in="\n".join(commands))

    def sysctl(self, values: Mapping[str, int]) -> None:
        """Keys with slashes, below /proc/sys/net."""
        with self.inside():
            for key, value in values.items():
                Path("/proc/sys/net", key).write_text(str(value))


QUIET: Mapping[str, int] = {
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/conf/default/rp_filter": 0,
    "ipv4/conf/all/send_redirects": 0,
    "ipv4/conf/default/send_redirects": 0,
    "ipv6/conf/all/accept_redirects": 0,
    "ipv6/conf/default/accept_redirects": 0,
    "ipv6/conf/all/accept_dad": 0,
    "ipv6/conf/default/accept_dad": 0,
    "ipv6/conf/default/router_solicitations": 0,
}
"""What a test's network does without: delays before an address is usable, and redirects, by which real servers would
learn a way to the client that does not lead back through the director."""


class Switch(Namespace):
    """A bridge in a namespace of its own."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.ip("link add br0 type bridge forward_delay 0", "link set br0 up")

    def connect(self, host: Namespace, addresses: Sequence[str]) -> None:
        """Gives the host a device eth0 with these addresses (with prefix length) on the bridge."""
        host.sysctl(QUIET)
        self.ip(
            f"link add {host.name} type veth peer name eth0 netns {host.name}",
            f"link set {host.name} master br0 up",
        )
        host.ip("link set eth0 up", *(f"address add {address} dev eth0" for address in addresses))

    def unplug(self, host: Namespace) -> None:
        """As if the cable were pulled: the host keeps its addresses and routes."""
        self.ip(f"link set {host.name} down")

    def plug(self, host: Namespace) -> None:
        self.ip(f"link set {host.name} up")
