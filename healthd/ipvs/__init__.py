"""The IPVS table behind one small protocol: `kernel` is the running kernel's, `memory` a dictionary.

Both pass the same tests (tests/support/ipvs_contract.py).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import Protocol

from healthd.edits import Edit, EditRefused
from healthd.model import Connections, Endpoint, ServiceKey, Table, VirtualService


class IpvsUnavailable(Exception):  # noqa: N818 - named for what happened
    """The table cannot be reached at all. The message says why and what to do."""

    def __init__(self, message: str, *, permission: bool = False) -> None:
        super().__init__(message)
        self.permission = permission
        """True where it is a matter of privilege, not of the kernel."""


class Ipvs(Protocol):
    """A table that can be read and edited. Calls are synchronous: the kernel answers at once.

    A table of ten thousand servers takes a tenth of a second to read. Who cannot wait so long takes `scan`.
    """

    def read(self, keys: frozenset[ServiceKey] | None = None) -> Table:
        """The table as it is; with `keys`, only those services of it (ones that do not exist are left out).

        Raises:
            IpvsUnavailable: no permission, or no IPVS in this kernel.

        """

    def scan(self, keys: frozenset[ServiceKey] | None = None) -> Generator[tuple[ServiceKey, VirtualService] | None]:
        """What `read` reads, service by service, and None wherever a few milliseconds may have gone by.

        A service that is edited between two slices of it may be seen wrongly: a dump goes on where it was by counting.
        One scan at a time: it has to come to its end, or to be closed, before the next. Raises as `read` does.
        """

    def counts(
        self, keys: frozenset[ServiceKey] | None = None
    ) -> Generator[tuple[ServiceKey, Mapping[Endpoint, Connections]] | None]:
        """What is counted of the servers in the table, service by service, with pauses and troubles as in `scan`.

        Four of them may be under way at a time, and a scan meanwhile; more find the table unavailable.
        """

    def keys(self) -> frozenset[ServiceKey]:
        """The virtual services there are, whoever made them. Raises as `read` does."""

    def apply(self, edits: Iterable[Edit]) -> list[EditRefused]:
        """Does the edits in order. One that is refused does not stop the following ones.

        Raises:
            IpvsUnavailable: no permission, or no IPVS in this kernel.

        """

    def close(self) -> None: ...
