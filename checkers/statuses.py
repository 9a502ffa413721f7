"""The option `status` of HTTP and of SIP, whose statuses have three digits. Pure."""

from __future__ import annotations

import re

from checkers.base import OptionError

_STATUS = re.compile(r"([1-9][0-9][0-9])(?:-([1-9][0-9][0-9]))?")


def accepted_statuses(status: str) -> frozenset[int]:
    """Those that are meant.

    Raises:
        OptionError: something in it is neither a status nor a range of them.

    """
    codes: set[int] = set()
    for part in status.split(","):
        match = _STATUS.fullmatch(part.strip())
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if low > high:
            message = f'must be codes and ranges of them such as "200,204,301-302"; "{part}" is neither'
            raise OptionError("status", message)
        codes.update(range(low, high + 1))
    return frozenset(codes)
