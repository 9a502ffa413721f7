"""The running kernel's IPVS table, over generic netlink."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from healthd.edits import AddService, DeleteDestination, Edit, EditDestination, EditRefused, EditService
from healthd.ipvs import IpvsUnavailable, messages
from healthd.ipvs.netlink import Interrupted, Netlink, Refused
from healthd.model import ServiceKey, ServiceOptions, Table, VirtualService

NOT_PERMITTED = (
    "not permitted: reading and editing the IPVS table needs CAP_NET_ADMIN. Run healthd as root, "
    "or with AmbientCapabilities=CAP_NET_ADMIN in its systemd unit, or after `setcap cap_net_admin+ep` on its Python; "
    'or set table = "memory" to touch nothing'
)
NO_IPVS = 'this kernel has no IPVS: load it with `modprobe ip_vs`, or set table = "memory" to do without'
NO_NETLINK = "no netlink socket here: a systemd unit needs AF_NETLINK in RestrictAddressFamilies"


class KernelIpvs:
    """The table of the network namespace that this was made in.

    The family's number is asked for before every use, as it changes when the module is loaded anew. By asking, the
    kernel is made to load the module itself where it can (net-pf-16-proto-16-family-IPVS).

    Raises:
        IpvsUnavailable: no IPVS in this kernel, or no netlink.

    """

    def __init__(self) -> None:
        with _told_plainly():
            self._netlink = Netlink()
            try:
                self._family()
            except (IpvsUnavailable, OSError):
                self._netlink.close()
                raise

    def close(self) -> None:
        self._netlink.close()

    def keys(self) -> frozenset[ServiceKey]:
        """The virtual services there are, whoever made them; much cheaper than reading them all."""
        with _told_plainly():
            return frozenset(key for key, _ in self._services(self._family()))

    def read(self, keys: frozenset[ServiceKey] | None = None) -> Table:
        with _told_plainly():
            family = self._family()
            return Table(
                {
                    key: self._with_destinations(family, key, options)
                    for key, options in self._services(family)
                    if keys is None or key in keys
                }
            )

    def apply(self, edits: Iterable[Edit]) -> list[EditRefused]:
        wanted = list(edits)
        with _told_plainly():
            answers = self._netlink.tell(self._family(), [messages.edit(edit) for edit in wanted])
            for answer in answers:
                if answer and answer.errno == errno.EPERM:
                    raise answer
        return [
            EditRefused(edit, _reason(edit, answer))
            for edit, answer in zip(wanted, answers, strict=True)
            if answer is not None
        ]

    def _family(self) -> int:
        try:
            return messages.family_number(self._netlink.ask(*messages.find_family("IPVS")))
        except Refused as refused:
            if refused.errno == errno.ENOENT:
                raise IpvsUnavailable(NO_IPVS) from refused
            raise

    def _services(self, family: int) -> list[tuple[ServiceKey, ServiceOptions]]:
        found = (messages.service_of(message) for message in self._netlink.dump(family, messages.list_services()))
        return [service for service in found if service]

    def _with_destinations(self, family: int, key: ServiceKey, options: ServiceOptions) -> VirtualService:
        dump = self._netlink.dump(family, messages.list_destinations(key))
        return VirtualService(options, dict(messages.destination_of(message, key.family) for message in dump))


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Netlink's troubles, as IpvsUnavailable that says what to do."""
    try:
        yield
    except Interrupted as error:
        raise IpvsUnavailable("the IPVS table changes faster than it can be read") from error
    except OSError as error:
        if error.errno == errno.EPERM:
            raise IpvsUnavailable(NOT_PERMITTED, permission=True) from error
        if error.errno == errno.EAFNOSUPPORT:
            raise IpvsUnavailable(NO_NETLINK, permission=True) from error
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
