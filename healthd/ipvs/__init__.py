"""The IPVS table behind one small protocol: `kernel` is the running kernel's, `memory` a dictionary.

Both pass the same tests (tests/support/ipvs_contract.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from healthd.edits import Edit, EditRefused
from healthd.model import ServiceKey, Table


class IpvsUnavailable(Exception):  # noqa: N818 - named for what happened
    """The table cannot be reached at all. The message says why and what to do."""

    def __init__(self, message: str, *, permission: bool = False) -> None:
        super().__init__(message)
        self.permission = permission
        """True where it is a matter of privilege, not of the kernel."""


class Ipvs(Protocol):
    """A table that can be read and edited. Calls are synchronous: the kernel answers at once."""

    def read(self, keys: frozenset[ServiceKey] | None = None) -> Table:
        """The table as it is; with `keys`, only those services of it (ones that do not exist are left out).

        Raises:
            IpvsUnavailable: no permission, or no IPVS in this kernel.

        """

    def keys(self) -> frozenset[ServiceKey]:
        """The virtual services there are, whoever made them. Raises as `read` does."""

    def apply(self, edits: Iterable[Edit]) -> list[EditRefused]:
        """Does the edits in order. One that is refused does not stop the following ones.

        Raises:
            IpvsUnavailable: no permission, or no IPVS in this kernel.

        """

    def close(self) -> None: ...
