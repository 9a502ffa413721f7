"""From the table of a service to the service: its key in the kernel, its scheduling, its servers and its checks."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from checkers.base import Checker
from checkers.combined import questions
from healthd.config.checklists import CheckLists
from healthd.config.findings import Findings, Place
from healthd.config.layers import Layers, Level
from healthd.config.models import FLAGS, Inherited, ServiceTable
from healthd.config.sections import Read, Section, read
from healthd.config.servers import fallback, servers, unreachable
from healthd.config.values import AllDown, CheckConfig, ServerConfig, ServiceConfig, Settings
from healthd.model import SCHEDULER_FLAGS, Protocol, ServiceKey, ServiceOptions
from healthd.weights import Damping

_FAMILY = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
_LOOPBACK = (
    'the kernel drops packets from the network that masq would send to a loopback address; use forward = "gate" '
    "for a server on the director itself, which then has to listen on the virtual address"
)


@dataclass(frozen=True, slots=True)
class ServiceReader:
    """Reads one service after another; `keys` remembers where each virtual service stands."""

    settings: Settings
    defaults: Read[Inherited]
    lists: CheckLists
    findings: Findings
    keys: dict[ServiceKey, Place] = field(default_factory=dict)

    def read(self, name: str, section: Section) -> ServiceConfig | None:
        """The service, or None where it is not even said what it is."""
        layers = Layers(name, read(section, ServiceTable, self.findings), self.defaults)
        found = self.lists.of(layers)
        key = _key(layers, self.findings)
        if key is None:
            return None
        self._claim(key, layers)
        real = servers(layers, key, self.findings)
        spare = fallback(layers, key, real, self.findings)
        if not key.port:
            self._port_needed(found, real, layers)
        self._doubts(layers, real, spare)
        return ServiceConfig(
            name=name,
            key=key,
            options=_options(layers, key, self.findings),
            servers=real,
            checks=found,
            on_failure=layers.values["on_failure"],
            all_down=layers.values["all_down"],
            fallback=spare,
            min_available=self._min_available(layers, len(real)),
            damping=Damping(
                layers.values["degraded_weight"], layers.values["weight_step"], layers.values["weight_interval"]
            ),
        )

    def _claim(self, key: ServiceKey, layers: Layers) -> None:
        if not layers.sound("protocol", "family"):
            return
        place = layers.own.section.at(("virtual" if key.protocol else "fwmark",))
        first = self.keys.setdefault(key, place)
        if first is not place:
            self.findings.error(place, f"{key.label} is already a virtual service, at ", first)

    def _min_available(self, layers: Layers, servers: int) -> int:
        """What is built in is meant for every service, also for one without a server."""
        share = layers.values["min_available"]
        least = share.of(servers)
        written = layers.level("min_available") is not Level.BUILT_IN
        if least > servers and written and layers.own.sound("server"):
            layers.complain(
                self.findings, "min_available", f"{share} is more than the {servers} servers of the service"
            )
        return least

    def _port_needed(self, found: tuple[CheckConfig, ...], real: tuple[ServerConfig, ...], layers: Layers) -> None:
        if all(server.endpoint.port for server in real):
            return
        for check in found:
            if any(_lacks_port(checker) for checker in questions(check.checker)):
                text = f'"{check.name}" needs a port, and a server of this service has none; set port in the check'
                layers.complain(self.findings, "check", text)

    def _doubts(self, layers: Layers, real: tuple[ServerConfig, ...], spare: ServerConfig | None) -> None:
        if spare is not None and layers.values["all_down"] is AllDown.ALL:
            self.findings.warn(layers.where("all_down"), '"all" has no effect beside a fallback, which takes over')
        for index, server in enumerate(real):
            if self.settings.table == "kernel" and unreachable(server):
                self.findings.warn(layers.own.section.at(("server", index)), _LOOPBACK)
        if spare is not None and self.settings.table == "kernel" and unreachable(spare):
            self.findings.warn(layers.where("fallback"), _LOOPBACK)


def _lacks_port(checker: Checker) -> bool:
    return checker.needs_port and not (checker.port or checker.default_port)


def _key(layers: Layers, findings: Findings) -> ServiceKey | None:
    own = layers.own
    written, table, at = own.section.data, own.table, own.section.at
    if "virtual" in written and "fwmark" in written:
        findings.error(at(("fwmark",)), "stands beside virtual; a service has one of the two")
    elif "virtual" not in written and "fwmark" not in written:
        findings.error(own.section.place, 'needs virtual = "ADDRESS:PORT" or fwmark = NUMBER')
    if "virtual" in table:
        if "family" in table:
            findings.error(at(("family",)), "is for fwmark services; a virtual address tells its own family")
        if not table["virtual"].port and layers.values.get("persistent") is None and layers.sound("persistent"):
            findings.error(at(("virtual",)), "port 0, which means every port, needs persistent")
        return ServiceKey.at(layers.values["protocol"], table["virtual"])
    if "fwmark" in table:
        if "protocol" in table:
            findings.error(at(("protocol",)), "is for services with a virtual address; a mark covers every protocol")
        return ServiceKey.marked(table["fwmark"], _FAMILY[table.get("family", "ipv4")])
    return None


def _options(layers: Layers, key: ServiceKey, findings: Findings) -> ServiceOptions:
    table = layers.values
    if table.get("one_packet") and key.protocol not in {None, Protocol.UDP}:
        layers.complain(findings, "one_packet", f"is for UDP and fwmark services, not for {key.protocol}")
    return ServiceOptions(
        scheduler=table["scheduler"],
        flags=_flags(layers, findings),
        persistent=table.get("persistent"),
        prefix=_prefix(layers, key, findings),
        one_packet=table.get("one_packet", False),
    )


def _flags(layers: Layers, findings: Findings) -> frozenset[int]:
    scheduler, flags = layers.values["scheduler"], layers.values.get("scheduler_flags", ())
    own_names = SCHEDULER_FLAGS.get(scheduler, ())
    for flag in flags:
        if flag not in own_names and not flag.startswith("flag-") and layers.sound("scheduler"):
            fitting = ", ".join((*own_names, "flag-1", "flag-2", "flag-3"))
            text = f'"{flag}" is no flag of scheduler {scheduler}; expected some of {fitting}'
            layers.complain(findings, "scheduler_flags", text)
    return frozenset(FLAGS[flag] for flag in flags)


def _prefix(layers: Layers, key: ServiceKey, findings: Findings) -> int | None:
    """The length of the persistence netmask, None where clients are told apart by their whole address."""
    mask = layers.values.get("persistent_netmask")
    if mask is None:
        return None
    if layers.values.get("persistent") is None:
        if layers.level("persistent_netmask") is Level.SERVICE and layers.sound("persistent"):
            layers.complain(findings, "persistent_netmask", "needs persistent, without which it has no effect")
        return None
    if mask.family != key.family and layers.sound("family"):
        wanted = (
            'a mask such as "255.255.255.0"' if key.family == socket.AF_INET else "the length of a prefix such as 64"
        )
        layers.complain(findings, "persistent_netmask", f"does not fit the family of {key.label}; expected {wanted}")
    whole = 32 if mask.family == socket.AF_INET else 128
    return None if mask.prefix == whole else mask.prefix
