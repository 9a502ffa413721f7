"""The configuration as it is written: which keys each table may have, and of what kind.

Nothing is inherited yet and nothing filled in: what a file does not say is not in its table. Descriptions go into the
JSON Schema.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, with_config
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from healthd.config.addresses import Address, EndpointText, NetmaskText, read_fallback
from healthd.config.checkentry import CheckEntries
from healthd.config.fields import (
    Argv,
    Duration,
    DurationOrZero,
    MailAddress,
    MailAddresses,
    PathText,
    Patterns,
    Persistence,
    ThresholdText,
    choice,
    choices,
    whole,
    word,
)
from healthd.config.values import AllDown, OnFailure
from healthd.events import KINDS
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
    log_format: Annotated[Literal["text", "json"], choice(("text", "json")), _doc("How log lines are written.")]
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        choice(("debug", "info", "warning", "error")),
        _doc("The least grave of what is logged."),
    ]


class Timing(TypedDict, total=False):
    """When a check runs and how many outcomes decide."""

    interval: Annotated[Duration, _doc("Time from the start of one check to the start of the next.")]
    fast_interval: Annotated[Duration, _doc("The same while the outcome contradicts the server's state.")]
    timeout: Annotated[Duration, _doc("The one deadline of everything that a check does.")]
    fall: Annotated[ThresholdText, _doc('Failures that take a server out: 3 in a row, or "3/5" among the last five.')]
    rise: Annotated[ThresholdText, _doc('Passes that bring it back: 2 in a row, or "2/3" among the last three.')]


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


class AlertTable(TypedDict, total=False):
    type: Annotated[Literal["mail", "command"], choice(("mail", "command")), _doc("How people are told.")]
    events: Annotated[tuple[str, ...], choices(KINDS, "names of events"), _doc("What is told.")]
    services: Annotated[Patterns, _doc("Of which services, by name or pattern.")]
    burst: Annotated[DurationOrZero, _doc("What happens within this time of a first event is one message.")]
    timeout: Annotated[Duration, _doc("The deadline of one attempt to deliver.")]


_From = TypedDict("_From", {"from": Annotated[MailAddress, _doc("The sender of the mails.")]}, total=False)


@with_config(_CLOSED)
class MailTable(AlertTable, _From, total=False):
    to: Annotated[MailAddresses, _doc("One recipient or an array of them.")]
    host: Annotated[str, word('the name of a mail server such as "localhost"'), _doc("The mail server.")]
    port: Annotated[int, whole(1, 65535), _doc("25 unless given; 587 with starttls, 465 with tls.")]
    security: Annotated[
        Literal["none", "starttls", "tls"], choice(("none", "starttls", "tls")), _doc("How the connection is secured.")
    ]
    verify: Annotated[StrictBool, _doc("Whether the mail server's certificate must be good.")]
    ca_file: Annotated[PathText, _doc("Certificates to trust instead of the system's.")]
    user: Annotated[str, word('a user name such as "healthd"'), _doc("Whom to log in as.")]
    password_file: Annotated[PathText, _doc("A file that holds the password; read for every message.")]
    retry_for: Annotated[DurationOrZero, _doc("For how long a mail that cannot be sent is tried again.")]


@with_config(_CLOSED)
class CommandTable(AlertTable, total=False):
    command: Annotated[Argv, _doc("The program and its arguments; the event comes as JSON on standard input.")]
