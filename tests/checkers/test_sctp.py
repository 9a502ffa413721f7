"""The `sctp` check where the kernel has no SCTP; where it has, tests/kernel asks real associations."""

import errno
from typing import Any

import pytest

from checkers import sctp
from checkers.base import Status, Target
from checkers.sctp import Sctp
from tests.checkers.asking import ask


@pytest.mark.parametrize("number", [errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT])
async def test_no_sctp_in_this_kernel(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """That is no fault of the server's, and the cure is told."""

    def refused(*_: Any) -> None:
        raise OSError(number, "")

    monkeypatch.setattr(sctp, "Socket", refused)
    outcome = await ask(Sctp(), Target(address="127.0.0.1", port=9))
    assert outcome.status is Status.UNKNOWN
    assert str(outcome) == (
        "SOCKERR this kernel has no SCTP: load the module sctp (modprobe sctp), which some kernels do not have"
    )
