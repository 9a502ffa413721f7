"""The configuration as it is written: which keys each table may have, and of what kind.

Nothing is inherited yet and nothing filled in: what a file does not say is not in its table. Descriptions go into the
JSON Schema.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, with_config
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from healthd.config.addresses import Address, EndpointText, NetmaskText, read_fallback
from healthd.config.checkentry import CheckEntries
from healthd.config.dampings import FactorText, SlowText, StepText
from healthd.config.fields import (
    Duration,
    DurationOrZero,
    FileText,
    PathText,
    Persistence,
    ThresholdText,
    choice,
    choices,
    whole,
)
from healthd.config.reach import GroupText, HostNames, ListenTexts, SocketPath
from healthd.config.shares import ShareText
from healthd.config.values import AllDown, OnFailure
from healthd.model import MAX_WEIGHT, SCHEDULER_FLAGS, SCHEDULERS, Forward, Protocol

_CLOSED = ConfigDict(extra="forbid")

MOST_WORKERS = 64

FLAGS = {
    **{f"flag-{bit}": bit for bit in (1, 2, 3)},
    **{flag: bit for flags in SCHEDULER_FLAGS.values() for bit, flag in enumerate(flags, 1)},
}
"""The number of each scheduler flag that has a name."""


def _doc(text: str) -> Any:
    return Field(description=text)


@with_config(_CLOSED)
class HealthdTable(TypedDict, total=False):
    table: Annotated[
        Literal["kernel", "memory"],
        choice(("kernel", "memory")),
        _doc("What is kept true: the kernel's IPVS table, or one in memory, with which nothing is touched."),
    ]
    state_dir: Annotated[PathText, _doc("Where healthd keeps its lock and what it must remember over a restart.")]
    plugin_dir: Annotated[PathText, _doc('Where the modules of checks with type = "module:Class" are.')]
    on_exit: Annotated[
        Literal["keep", "withdraw"],
        choice(("keep", "withdraw")),
        _doc("What a stop does to the table: leave it as it is, or remove the configured services."),
    ]
    resync: Annotated[Duration, _doc("Time between two comparisons of the whole table with what it should be.")]
    workers: Annotated[int, whole(0, MOST_WORKERS), _doc("Processes that run the checks; 0 runs them in the main one.")]
    log_format: Annotated[
        Literal["text", "json", "journal"],
        choice(("text", "json", "journal")),
        _doc("How log lines are written: to stderr as text or JSON, or to the journal with their fields."),
    ]
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        choice(("debug", "info", "warning", "error")),
        _doc("The least grave of what is logged."),
    ]


@with_config(_CLOSED)
class ControlTable(TypedDict, total=False):
    socket: Annotated[SocketPath, _doc('The unix socket of the commands; control.sock in state_dir, "off" for none.')]
    group: Annotated[GroupText, _doc("The group, by name or number, that may use the socket beside the daemon's user.")]
    listen: Annotated[ListenTexts, _doc("Addresses and ports of the page and the API; none unless given.")]
    names: Annotated[HostNames, _doc("Host names, beside this machine's, under which browsers reach the page.")]
    tls_cert: Annotated[FileText, _doc("The certificate, with those between it and its root, in PEM; needs tls_key.")]
    tls_key: Annotated[FileText, _doc("The certificate's private key in PEM.")]
    tokens_file: Annotated[FileText, _doc("Who may do what: lines of NAME ROLE TOKEN. ROLE is read or operate.")]


class Timing(TypedDict, total=False):
    """When a check runs and how many outcomes decide."""

    interval: Annotated[Duration, _doc("Time from the start of one check to the start of the next.")]
    fast_interval: Annotated[Duration, _doc("The same while the outcome contradicts the server's state.")]
    timeout: Annotated[Duration, _doc("The one deadline of everything that a check does.")]
    fall: Annotated[ThresholdText, _doc('Failures that take a server out: 3 in a row, or "3/5" among the last five.')]
    rise: Annotated[ThresholdText, _doc('Passes that bring it back: 2 in a row, or "2/3" among the last three.')]
    slow: Annotated[SlowText, _doc('A pass that takes longer makes the server degraded; "off" for none.')]


@with_config(_CLOSED)
class FallbackTable(TypedDict, total=False):
    address: Annotated[Address, _doc("The numeric address of the fallback server.")]
    port: Annotated[int, whole(0, 65535), _doc("The port; the virtual one unless given.")]
    forward: Annotated[Forward, choice(Forward), _doc("The forwarding method; the service's unless given.")]
    weight: Annotated[int, whole(1, MAX_WEIGHT), _doc("The weight that it has while it is needed.")]


@with_config(_CLOSED)
class Inherited(Timing, total=False):
    """What may stand in [defaults] as well as in a service."""

    protocol: Annotated[Protocol, choice(Protocol), _doc("The protocol of a service with a virtual address.")]
    scheduler: Annotated[str, choice(SCHEDULERS), _doc("How the kernel chooses a real server for a new connection.")]
    scheduler_flags: Annotated[
        tuple[str, ...], choices(FLAGS, "scheduler flags"), _doc("Flags of the scheduler, by ipvsadm's names.")
    ]
    forward: Annotated[
        Forward, choice(Forward), _doc("How packets reach the servers: NAT, direct routing, or an IP-in-IP tunnel.")
    ]
    persistent: Annotated[Persistence, _doc("For how long a client is sent to the same server; off unless given.")]
    persistent_netmask: Annotated[
        NetmaskText, _doc("Clients of one network count as one client: a mask, for IPv6 the length of a prefix.")
    ]
    one_packet: Annotated[StrictBool, _doc("Schedule every datagram for itself; for UDP and fwmark services.")]
    check: Annotated[CheckEntries, _doc("The name of a check, or a check in place, or an array: all must pass.")]
    fallback: Annotated[
        FallbackTable | None,
        BeforeValidator(read_fallback, json_schema_input_type=str | FallbackTable),
        _doc('Serves while no real server is available: "ADDRESS:PORT", a table, or "off".'),
    ]
    on_failure: Annotated[
        OnFailure, choice(OnFailure), _doc("A sick server gets weight 0, or is removed from the table.")
    ]
    all_down: Annotated[
        AllDown, choice(AllDown), _doc("Without any available server and fallback: none in the table, or all.")
    ]
    min_available: Annotated[
        ShareText, _doc('Servers that an operator has to leave available: a number, or a share of all such as "50%".')
    ]
    degraded_weight: Annotated[FactorText, _doc("The share of its weight that a degraded server has.")]
    weight_step: Annotated[
        StepText, _doc("The smallest change of a weight that a server asks for: a number, or a share of it.")
    ]
    weight_interval: Annotated[DurationOrZero, _doc("The least time between two changes that a server asks for.")]


@with_config(_CLOSED)
class ServerTable(TypedDict, total=False):
    address: Annotated[Address, _doc("The numeric address of the real server.")]
    port: Annotated[int, whole(0, 65535), _doc("The port; the virtual one unless given.")]
    weight: Annotated[int, whole(0, MAX_WEIGHT), _doc("The weight while it is well; 0 means no new connections.")]
    upper: Annotated[int, whole(0, 2**32 - 1), _doc("No new connections from this many on; 0 means no limit.")]
    lower: Annotated[int, whole(0, 2**32 - 1), _doc("After `upper`, new connections again below this many.")]
    forward: Annotated[Forward, choice(Forward), _doc("The forwarding method; the service's unless given.")]


@with_config(_CLOSED)
class ServiceTable(Inherited, total=False):
    virtual: Annotated[EndpointText, _doc("The virtual address and port.")]
    fwmark: Annotated[int, whole(1, 2**32 - 1), _doc("Instead of `virtual`: the firewall mark of its packets.")]
    family: Annotated[
        Literal["ipv4", "ipv6"], choice(("ipv4", "ipv6")), _doc("The address family of a fwmark service.")
    ]
    server: Annotated[list[ServerTable], _doc("The real servers, each a [[service.NAME.server]].")]
