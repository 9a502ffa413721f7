"""The vocabulary: virtual services, real servers and the table of them. Frozen, ordered, printed like `ipvsadm -Sn`.

Names and numbers are the kernel's (include/uapi/linux/ip_vs.h). A `Table` is a value: it can be compared, and
computing one has no effect on anything.
"""

from __future__ import annotations

import enum
import ipaddress
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

MAX_WEIGHT = 65535
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos")


class Protocol(enum.StrEnum):
    TCP = "tcp"
    UDP = "udp"
    SCTP = "sctp"

    @property
    def number(self) -> int:
        """The protocol's number in the IP header (IPPROTO_*)."""
        return {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP, "sctp": socket.IPPROTO_SCTP}[self]

    @property
    def option(self) -> str:
        return {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}[self]


class Forward(enum.StrEnum):
    """The forwarding method: network address translation, direct routing, IP-in-IP tunnel."""

    MASQ = "masq"
    GATE = "gate"
    IPIP = "ipip"

    @property
    def option(self) -> str:
        return {"masq": "-m", "gate": "-g", "ipip": "-i"}[self]


def family_of(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Endpoint(NamedTuple):
    """An address, numeric and in canonical form, with a port.

    A tuple, as tables are dictionaries by endpoint: hashing and comparing ten thousand takes a tenth of the time.
    """

    address: str
    port: int

    @property
    def family(self) -> int:
        return family_of(self.address)

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True, order=True)
class ServiceKey:
    """What the kernel knows a virtual service by: protocol, address and port, or family and fwmark.

    Build one with `at` or `marked`: the fields that do not apply are then empty.
    """

    family: int
    protocol: Protocol | None
    address: str
    port: int
    fwmark: int

    @classmethod
    def at(cls, protocol: Protocol, endpoint: Endpoint) -> Self:
        return cls(endpoint.family, protocol, endpoint.address, endpoint.port, 0)

    @classmethod
    def marked(cls, fwmark: int, family: int = socket.AF_INET) -> Self:
        return cls(family, None, "", 0, fwmark)

    def __str__(self) -> str:
        if self.protocol is None:
            return f"-f {self.fwmark}" + (" -6" if self.family == socket.AF_INET6 else "")
        return f"{self.protocol.option} {Endpoint(self.address, self.port)}"

    @property
    def label(self) -> str:
        """For people: `192.168.7.110:80/tcp` or `fwmark 10`."""
        if self.protocol is None:
            return f"fwmark {self.fwmark}" + (" IPv6" if self.family == socket.AF_INET6 else "")
        return f"{Endpoint(self.address, self.port)}/{self.protocol}"


SCHEDULER_FLAGS = {"sh": ("sh-fallback", "sh-port"), "mh": ("mh-fallback", "mh-port")}
"""Names of scheduler flags 1 and 2 where the scheduler gives them one; otherwise flag-1, flag-2, flag-3."""


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """How a virtual service is scheduled.

    `flags` are the scheduler flags 1 to 3 that are set; `persistent` is in seconds, None without persistence;
    `prefix` is the length of the persistence netmask, None for whole addresses.
    """

    scheduler: str = "wlc"
    flags: frozenset[int] = frozenset()
    persistent: int | None = None
    prefix: int | None = None
    one_packet: bool = False

    def flag_names(self) -> list[str]:
        known = SCHEDULER_FLAGS.get(self.scheduler, ())
        return [known[n - 1] if n <= len(known) else f"flag-{n}" for n in sorted(self.flags)]

    def arguments(self, family: int) -> str:
        parts = [f"-s {self.scheduler}"]
        if self.persistent is not None:
            parts.append(f"-p {self.persistent}")
            if self.prefix is not None:
                parts.append(f"-M {netmask(self.prefix, family)}")
        if self.one_packet:
            parts.append("-o")
        if self.flags:
            parts.append("-b " + ",".join(self.flag_names()))
        return " ".join(parts)


def netmask(prefix: int, family: int) -> str:
    """As ipvsadm writes it: dotted for IPv4, a length for IPv6."""
    return str(prefix) if family == socket.AF_INET6 else str(ipaddress.IPv4Network((0, prefix)).netmask)


@dataclass(frozen=True, slots=True)
class Destination:
    """How a real server takes part: forwarding method, weight 0..65535, connection thresholds (0: none)."""

    forward: Forward = Forward.MASQ
    weight: int = 1
    upper: int = 0
    lower: int = 0

    def arguments(self) -> str:
        parts = [f"{self.forward.option} -w {self.weight}"]
        if self.upper:
            parts.append(f"-x {self.upper}")
        if self.lower:
            parts.append(f"-y {self.lower}")
        if self.forward is Forward.IPIP:
            parts.append("--tun-type ipip")
        return " ".join(parts)


class Connections(NamedTuple):
    """What the kernel counts of a real server: connections that are open, that are ending, and clients bound to it."""

    active: int = 0
    inactive: int = 0
    persistent: int = 0


Counts = Mapping[str, Mapping[Endpoint, Connections]]
"""What the kernel counts of a table: for each service, by its key's label, of each of its servers."""


@dataclass(frozen=True, slots=True)
class VirtualService:
    options: ServiceOptions = ServiceOptions()
    destinations: Mapping[Endpoint, Destination] = field(default_factory=dict)

    def only(self, endpoint: Endpoint) -> VirtualService:
        """The service with this one destination, if it has it."""
        destination = self.destinations.get(endpoint)
        return VirtualService(self.options, {} if destination is None else {endpoint: destination})


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """A whole IPVS table, or the part of it that healthd owns."""

    services: Mapping[ServiceKey, VirtualService] = field(default_factory=dict)

    def only(self, keys: frozenset[ServiceKey]) -> Table:
        return Table({key: service for key, service in self.services.items() if key in keys})

    def lines(self) -> Iterator[str]:
        """As `ipvsadm -Sn` prints them, in a fixed order; thresholds, which it leaves out, are added."""
        for key in sorted(self.services, key=str):
            service = self.services[key]
            yield f"-A {key} {service.options.arguments(key.family)}"
            for endpoint in sorted(service.destinations):
                yield f"-a {key} -r {endpoint} {service.destinations[endpoint].arguments()}"

    def __repr__(self) -> str:
        return "\n".join(self.lines())


@dataclass(frozen=True, slots=True)
class Threshold:
    """`count` outcomes of one kind among the last `window`; in a row where the two are equal."""

    count: int
    window: int

    def __str__(self) -> str:
        return str(self.count) if self.count == self.window else f"{self.count}/{self.window}"
