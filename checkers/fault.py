"""The one table from what went wrong to outcomes: who is at fault, the server or this machine."""

from __future__ import annotations

import errno
import os
import ssl

from checkers.base import CheckEnded, Code, Failed, Outcome, Phase, Trace, Unable, passed, show

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


NOT_TRUSTED = frozenset({18, 19, 20, 21})
"""What OpenSSL says of a certificate whose issuer it does not know (X509_V_ERR_*, x509_vfy.h)."""

TLS_REASONS = {
    "WRONG_VERSION_NUMBER": "what came is no TLS",
    "UNSUPPORTED_PROTOCOL": "the server speaks an older version only than tls_min",
    "ALERT_PROTOCOL_VERSION": "the server speaks an older version only than tls_min",
    "ALERT_CERTIFICATE_REQUIRED": "the server wants a certificate of the client: cert_file",
    "ALERT_NO_APPLICATION_PROTOCOL": "the server knows none of the protocols of alpn",
    "ALERT_UNKNOWN_CA": "the server does not know who issued the certificate of cert_file",
    "ALERT_BAD_CERTIFICATE": "the server does not accept the certificate of cert_file, or wants one",
    "ALERT_CERTIFICATE_EXPIRED": "the server finds that the certificate of cert_file has expired",
    "ALERT_CERTIFICATE_UNKNOWN": "the server does not accept the certificate of cert_file",
    "ALERT_HANDSHAKE_FAILURE": "the server has no cipher in common, or wants a certificate of the client: cert_file",
    "ALERT_INTERNAL_ERROR": "the server gave up, as some do at a name that they do not have: tls_name",
    "ALERT_UNRECOGNIZED_NAME": "the server has no such name: tls_name",
    "UNRECOGNIZED_NAME": "the server has no such name: tls_name",
}
"""In words, what OpenSSL names; of alerts, which the server sends, without the version that comes first."""

_RECORD_TYPES = b"\x14\x15\x16\x17"
"""One of them is the first byte of every TLS record (RFC 8446, section 5.1)."""


def barred(said: str) -> Unable:
    """By a server that has shut this machine out for asking, and may serve every other: no reason to take it out."""
    return Unable(Code.BARRED, f"the server shuts this machine out: {said}")


def tls_ended(error: ssl.SSLError, doing: str, heard: bytes = b"") -> CheckEnded:
    """The outcome of a failed handshake or a broken TLS record; `heard` is what came first of the server."""
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = "; ca_file names who is trusted" if error.verify_code in NOT_TRUSTED else ""
        return Failed(Code.L6RSP, f"{doing}: certificate not accepted: {error.verify_message}{hint}")
    reason = error.reason or _reason_of(error.strerror or type(error).__name__)
    before, alert, after = reason.partition("ALERT_")
    words = alert_in_words(after) if alert else TLS_REASONS.get(before, "")
    begins = f": it begins with {show(heard)}" if heard and heard[0] not in _RECORD_TYPES else ""
    return Failed(Code.L6RSP, f"{doing}: {reason}" + (f", {words}" if words else "") + begins)


def alert_in_words(name: str) -> str:
    """What the server's alert of that name, such as "BAD_CERTIFICATE", means for who reads it."""
    return TLS_REASONS.get(f"ALERT_{name}", "an alert of the server's")


def _reason_of(text: str) -> str:
    """OpenSSL's own name of an error that Python has no name for: `[SSL] tlsv1 alert ... (_ssl.c:1006)`."""
    return text.removeprefix("[SSL] ").partition(" (_ssl.c")[0].upper().replace(" ", "_")


def deadline_outcome(trace: Trace, seconds: float) -> Outcome:
    """The outcome of a check that was cut off at its deadline of `seconds`."""
    doing = f" while {trace.text}" if trace.text else ""
    if trace.phase is Phase.SILENT:
        return passed(trace.phase.code, f"silent for {seconds:g} s{doing}")
    if trace.phase is Phase.ANSWERED:
        return passed(trace.phase.code, f"{trace.text}: no answer within {seconds:g} s")
    ending = Unable if trace.phase is Phase.LOCAL else Failed
    return ending(trace.phase.code, f"no result within {seconds:g} s{doing}").outcome
