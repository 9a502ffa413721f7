"""Where an FTP server waits for a data connection. Pure.

Only the port is taken from its answer. The address is always that of the server itself, since one that could send the
check elsewhere could have it knock at any machine that this one reaches.
"""

import re

from checkers.replies import MalformedError, Reply

_EXTENDED = re.compile(rb"\(([!-~])\1\1([0-9]{1,5})\1\)")
_CLASSIC = re.compile(rb"(?<![0-9])(?:[0-9]{1,3},){4}([0-9]{1,3}),([0-9]{1,3})(?![0-9])")


def port_of(reply: Reply) -> int:
    """The port in an answer to EPSV (229; RFC 2428, section 3) or PASV (227; RFC 1123, section 4.1.2.6).

    Raises:
        MalformedError: there is none in it.

    """
    line = reply.lines[-1]
    port = 0
    if reply.status == "229" and (found := _EXTENDED.search(line)):
        port = int(found[2])
    elif reply.status == "227" and (found := _CLASSIC.search(line)):
        high, low = int(found[1]), int(found[2])
        port = high * 256 + low if high < 256 and low < 256 else 0
    if not 1 <= port <= 65535:
        raise MalformedError(f"no port in {reply}")
    return port
