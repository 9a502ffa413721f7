"""The director of a test network: its IPVS table, who watches it, and healthd beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from healthd.ipvs.kernel import KernelIpvs
from healthd.model import Table
from tests.kernel.namespaces import Namespace, Switch
from tests.kernel.waiting import PATIENCE, eventually
from tests.support import ipvsadm

CHECKOUT = Path(__file__).parents[2]


class Daemon:
    """A running `healthd run`. What it prints is in `log`."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process, self.log = process, log

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def says(self, text: str, seconds: float = PATIENCE) -> None:
        """Returns when the log has the text."""
        eventually(lambda: text in self.log.read_text(), f"{text!r} in the log", seconds)

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        return self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        return self.process.wait(PATIENCE)


@dataclass
class Watch:
    """What the table was and since when (time.monotonic), from one change to the next."""

    seen: list[tuple[float, Table]] = field(default_factory=list)
    readings: int = 0

    def note(self, table: Table) -> None:
        self.readings += 1
        if not self.seen or self.seen[-1][1] != table:
            self.seen.append((time.monotonic(), table))


class Director(Namespace):
    """`ipvs` is healthd's own view of this table; `table()` is ipvsadm's, the independent witness."""

    def __init__(self, name: str, switch: Switch, addresses: Sequence[str]) -> None:
        super().__init__(name)
        switch.connect(self, addresses)
        self.sysctl({"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1, "ipv4/vs/conntrack": 0})
        with self.inside():
            self.ipvs = KernelIpvs()
        self._daemons: list[Daemon] = []

    def table(self) -> str:
        """`ipvsadm -Sn`, sorted."""
        return ipvsadm.saved(self._prefix)

    def thresholds(self) -> set[tuple[str, int, int]]:
        return ipvsadm.thresholds(self._prefix)

    def becomes(self, table: str, seconds: float = PATIENCE) -> None:
        """Returns when `table()` is these lines, in any order and indentation; fails with the difference."""
        wanted = "\n".join(sorted(line.strip() for line in table.strip().splitlines()))
        deadline = time.monotonic() + seconds
        while (found := self.table()) != wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        assert found == wanted

    def ipvsadm(self, arguments: str) -> str:
        """An edit by somebody else."""
        return self.run("ipvsadm", *arguments.split())

    def mark(self, mark: int, port: int) -> None:
        """Gives packets that come in for this TCP or UDP port a firewall mark, for a fwmark service."""
        self.run("tc", "qdisc", "replace", "dev", "eth0", "clsact")
        for number, (family, protocol) in enumerate((f, p) for f in ("ip", "ipv6") for p in ("tcp", "udp")):
            where = f"dev eth0 ingress pref {port % 1000 * 10 + number + 1} handle 1 protocol {family}"
            rule = f"flower ip_proto {protocol} dst_port {port} action skbedit mark {mark}"
            self.run("tc", "filter", "replace", *where.split(), *rule.split())

    @contextmanager
    def watch(self, every: float = 0.01) -> Iterator[Watch]:
        """Reads the table again and again, by netlink, for as long as the block lasts."""
        watch, over = Watch(), threading.Event()
        with self.inside():
            ipvs = KernelIpvs()
            watch.note(ipvs.read())

        def look() -> None:
            with self.inside():
                while not over.wait(every):
                    watch.note(ipvs.read())

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield watch
        finally:
            over.set()
            thread.join()
            ipvs.close()

    def healthd(self, *arguments: str, seconds: float = 2 * PATIENCE) -> subprocess.CompletedProcess[str]:
        """Runs a healthd command to its end."""
        with self.inside():
            return subprocess.run(
                [sys.executable, "-m", "healthd", *arguments],
                cwd=CHECKOUT,
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
            )

    def start(self, config: Path, log: Path, *arguments: str) -> Daemon:
        """Starts `healthd run` on the file or folder; it is killed at the latest when the network is taken down."""
        with log.open("a") as output:
            command = [sys.executable, "-m", "healthd", "run", "-c", str(config), *arguments]
            process = self.popen(*command, cwd=CHECKOUT, stdout=output, stderr=subprocess.STDOUT)
        self._daemons.append(Daemon(process, log))
        return self._daemons[-1]

    def delete(self) -> None:
        for daemon in self._daemons:
            daemon.kill()
        self.ipvs.close()
        super().delete()

    @property
    def _prefix(self) -> tuple[str, ...]:
        return ("nsenter", f"--net=/run/netns/{self.name}")
