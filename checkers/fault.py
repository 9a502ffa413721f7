"""The one table from operating-system and TLS errors to outcomes: who is at fault, the server or this machine."""

from __future__ import annotations

import errno
import os
import ssl

from checkers.base import CheckEnded, Code, Failed, Outcome, Phase, Trace, Unable, passed

OUR_FAULT = frozenset(
    {
        errno.EMFILE,  # this process is out of descriptors
        errno.ENFILE,  # this machine is
        errno.ENOMEM,
        errno.ENOBUFS,
        errno.ENOSPC,  # epoll's share of the memory is used up
        errno.ENETUNREACH,  # this machine has no route: it would say so of a healthy server too
        errno.ENETDOWN,
        errno.ENODEV,
        errno.EADDRNOTAVAIL,  # no local port or address left
        errno.EADDRINUSE,
        errno.EAFNOSUPPORT,  # IPv6 switched off here
        errno.EACCES,  # a local rule forbids it
        errno.EPERM,  # likewise: a local packet filter answers this
        errno.EINVAL,
    }
)
"""Errors that say nothing about the server. EHOSTUNREACH is not among them: after a failed ARP or neighbour
discovery it is the server that is not there."""


def ended(error: OSError, code: str, doing: str) -> CheckEnded:
    """The outcome of an operating-system error met while `doing`; `code` is the server's, should it be at fault."""
    number = error.errno or 0
    reason = os.strerror(number) if number else str(error) or type(error).__name__
    name = f" ({errno.errorcode[number]})" if number in errno.errorcode else ""
    detail = f"{doing}: {reason}{name}"
    if number in OUR_FAULT:
        return Unable(Code.SOCKERR, detail)
    if number == errno.ETIMEDOUT and code == Code.L4CON:
        return Failed(Code.L4TOUT, detail)
    return Failed(code, detail)


def tls_ended(error: ssl.SSLError, doing: str) -> CheckEnded:
    """The outcome of a failed handshake or a broken TLS record."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failed(Code.L6RSP, f"{doing}: certificate not accepted: {error.verify_message}")
    return Failed(Code.L6RSP, f"{doing}: {error.reason or error.strerror or type(error).__name__}")


def deadline_outcome(trace: Trace, seconds: float) -> Outcome:
    """The outcome of a check that was cut off at its deadline of `seconds`."""
    doing = f" while {trace.text}" if trace.text else ""
    if trace.phase is Phase.SILENT:
        return passed(trace.phase.value, f"silent for {seconds:g} s{doing}")
    if trace.phase is Phase.ANSWERED:
        return passed(trace.phase.value, f"{trace.text}: no answer within {seconds:g} s")
    ending = Unable if trace.phase is Phase.LOCAL else Failed
    return ending(trace.phase.value, f"no result within {seconds:g} s{doing}").outcome
