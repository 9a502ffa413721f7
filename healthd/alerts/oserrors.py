"""The errors of connections, for people."""

from __future__ import annotations

import errno
import os
import ssl


def words(error: OSError) -> str:
    """`Connection refused (ECONNREFUSED)`: asyncio's own text repeats the address, and leaves out what happened."""
    number = error.errno
    if (
        number is not None
        and number in errno.errorcode
        and not isinstance(error, ssl.SSLError)
        and error.filename is None
    ):
        return f"{os.strerror(number)} ({errno.errorcode[number]})"
    return str(error) if error.filename is not None else error.strerror or str(error) or type(error).__name__
