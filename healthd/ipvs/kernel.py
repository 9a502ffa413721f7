"""The running kernel's IPVS table, over generic netlink."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from typing import Protocol, TypeVar

from healthd.edits import AddService, DeleteDestination, Edit, EditDestination, EditRefused, EditService
from healthd.ipvs import IpvsUnavailable, messages
from healthd.ipvs.netlink import LOST, Interrupted, Netlink, Refused
from healthd.model import Connections, Endpoint, ServiceKey, ServiceOptions, Table, VirtualService

NOT_PERMITTED = (
    "not permitted: reading and editing the IPVS table needs CAP_NET_ADMIN. Run healthd as root, "
    "or with AmbientCapabilities=CAP_NET_ADMIN in its systemd unit, or after `setcap cap_net_admin+ep` on its Python; "
    'or set table = "memory" to touch nothing'
)
NO_IPVS = 'this kernel has no IPVS: load it with `modprobe ip_vs`, or set table = "memory" to do without'
_TRIES = 5
COUNTINGS = 4
"""That may be under way at a time: there are as many sockets for them."""
_Result = TypeVar("_Result")
_Decoded_co = TypeVar("_Decoded_co", covariant=True)

NO_NETLINK = "no netlink socket here: a systemd unit needs AF_NETLINK in RestrictAddressFamilies"


class KernelIpvs:
    """The table of the network namespace that this was made in.

    The family's number is asked for before every use, as it changes when the module is loaded anew. By asking, the
    kernel is made to load the module itself where it can (net-pf-16-proto-16-family-IPVS).

    Raises:
        IpvsUnavailable: no IPVS in this kernel, or no netlink.

    """

    def __init__(self) -> None:
        with _told_plainly(), ExitStack() as stack:
            self._netlink = stack.enter_context(closing(Netlink()))
            self._reader = stack.enter_context(closing(Netlink()))
            # Made here: a socket is of the network namespace that it was made in.
            self._counters = [stack.enter_context(closing(Netlink())) for _ in range(COUNTINGS)]
            _family(self._netlink)
            stack.pop_all()

    def close(self) -> None:
        for link in (self._netlink, self._reader, *self._counters):
            link.close()

    def keys(self) -> frozenset[ServiceKey]:
        """The virtual services there are, whoever made them; much cheaper than reading them all."""
        with _told_plainly():
            return frozenset(key for key, _ in _finished(_services(self._netlink, _family(self._netlink))))

    def read(self, keys: frozenset[ServiceKey] | None = None) -> Table:
        return Table(dict(found for found in _scan(self._netlink, keys) if found))

    def scan(self, keys: frozenset[ServiceKey] | None = None) -> Generator[tuple[ServiceKey, VirtualService] | None]:
        """On a socket of its own: edits and whole readings may come in between, another scan may not."""
        return _scan(self._reader, keys)

    def counts(
        self, keys: frozenset[ServiceKey] | None = None
    ) -> Generator[tuple[ServiceKey, Mapping[Endpoint, Connections]] | None]:
        """On a socket of its own each, as long as there are any."""
        with _told_plainly(), self._counter() as link:
            family = _family(link)
            for key, _ in (yield from _services(link, family)):
                if keys is None or key in keys:
                    yield key, (yield from _destinations(link, family, key, messages.connections_of))

    @contextmanager
    def _counter(self) -> Iterator[Netlink]:
        if not self._counters:
            raise IpvsUnavailable(f"{COUNTINGS} are counting already")
        link = self._counters.pop()
        try:
            yield link
        finally:
            self._counters.append(link)

    def apply(self, edits: Iterable[Edit]) -> list[EditRefused]:
        wanted = list(edits)
        with _told_plainly():
            answers = self._netlink.tell(_family(self._netlink), [messages.edit(edit) for edit in wanted])
            for answer in answers:
                if answer and answer.errno == errno.EPERM:
                    raise answer
        return [
            EditRefused(edit, _reason(edit, answer))
            for edit, answer in zip(wanted, answers, strict=True)
            if answer is not None
        ]


def _scan(link: Netlink, keys: frozenset[ServiceKey] | None) -> Generator[tuple[ServiceKey, VirtualService] | None]:
    with _told_plainly():
        family = _family(link)
        for key, options in (yield from _services(link, family)):
            if keys is None or key in keys:
                found = yield from _destinations(link, family, key, messages.destination_of)
                yield key, VirtualService(options, found)


def _family(link: Netlink) -> int:
    try:
        return messages.family_number(link.ask(*messages.find_family("IPVS")))
    except Refused as refused:
        if refused.errno == errno.ENOENT:
            raise IpvsUnavailable(NO_IPVS) from refused
        raise


_Slices = Generator[None, None, _Result]
"""Gives None after each part of the work, and its result when it is done."""


class _Decode(Protocol[_Decoded_co]):
    def __call__(self, message: bytes, service_family: int) -> tuple[Endpoint, _Decoded_co]: ...


def _services(link: Netlink, family: int) -> _Slices[list[tuple[ServiceKey, ServiceOptions]]]:
    found = yield from _listing(link, family, messages.list_services(), messages.service_of)
    return [service for service in found if service]


def _destinations(
    link: Netlink, family: int, key: ServiceKey, decode: _Decode[_Result]
) -> _Slices[dict[Endpoint, _Result]]:
    decoded = partial(decode, service_family=key.family)
    return dict((yield from _listing(link, family, messages.list_destinations(key), decoded)))


def _listing(link: Netlink, family: int, question: bytes, decode: Callable[[bytes], _Result]) -> _Slices[list[_Result]]:
    """What a dump holds; read again where it changed under the reader, as kernels that notice it tell."""
    for _ in range(_TRIES):
        with suppress(Interrupted), closing(link.dump(family, question)) as parts:
            found: list[_Result] = []
            for part in parts:
                found += map(decode, part)
                yield
            return found
    raise IpvsUnavailable("the IPVS table changes faster than it can be read")


def _finished(slices: _Slices[_Result]) -> _Result:
    while True:
        try:
            next(slices)
        except StopIteration as done:
            result: _Result = done.value
            return result


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Netlink's troubles, as IpvsUnavailable that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPERM:
            raise IpvsUnavailable(NOT_PERMITTED, permission=True) from error
        if error.errno == errno.EAFNOSUPPORT:
            raise IpvsUnavailable(NO_NETLINK, permission=True) from error
        if error.errno == LOST:
            raise IpvsUnavailable("the kernel's answers got lost, so the table has to be read anew") from error
        raise IpvsUnavailable(f"netlink: {error.strerror or error}") from error


def _reason(edit: Edit, refused: Refused) -> str:
    """Why the kernel refused it, in plain words and in the kernel's own."""
    words = refused.strerror or os.strerror(refused.errno or 0)
    match refused.errno, edit:
        case errno.ENOENT, AddService(_, options) | EditService(_, options):
            plain = f"scheduler {options.scheduler} is not available in this kernel: modprobe ip_vs_{options.scheduler}"
        case errno.ENOENT, EditDestination() | DeleteDestination():
            plain = "the service has no such real server"
        case errno.ESRCH, _:
            plain = "there is no such virtual service"
        case errno.EEXIST, _:
            plain = "it is there already"
        case errno.ERANGE, _:
            plain = "a weight or threshold is out of range, or the lower threshold above the upper"
        case errno.EAFNOSUPPORT, _:
            plain = "this kernel's IPVS has no IPv6"
        case _:
            return words
    return f"{plain} ({words})"
