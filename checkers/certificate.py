"""When an X.509 certificate ends, read from its DER form: for one that was not verified, ssl tells nothing of it. Pure.

Source: RFC 5280, section 4.1; X.690 for the encoding.
"""

from __future__ import annotations

import datetime as dt

_SEQUENCE, _UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x30, 0x17, 0x18, 0xA0
_BEFORE_VALIDITY = 3  # serialNumber, signature, issuer


class NotACertificateError(ValueError):
    """The bytes are no certificate."""


def ends(der: bytes) -> dt.datetime:
    """The second up to which the certificate is valid.

    Raises:
        NotACertificateError: it is none, or none that RFC 5280 allows.

    """
    certificate, _ = _value(der, _SEQUENCE)
    body, _ = _value(certificate, _SEQUENCE)
    if body[:1] == bytes([_VERSION]):
        _, body = _value(body, _VERSION)
    for _ in range(_BEFORE_VALIDITY):
        _, body = _value(body, body[0] if body else _SEQUENCE)
    validity, _ = _value(body, _SEQUENCE)
    _, not_after = _value(validity, validity[0] if validity else _UTC_TIME)
    return _time(not_after)


def _value(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """What the element at the beginning of `data` holds, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise NotACertificateError("not the element that stands here in a certificate")
    length, start = data[1], 2
    if length & 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4:
            raise NotACertificateError("an element of no, or of enormous, length")
        start = 2 + size
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        raise NotACertificateError("cut short")
    return data[start : start + length], data[start + length :]


def _time(data: bytes) -> dt.datetime:
    """Of a time's digits, of which RFC 5280 allows one form for each type, the year tells the century below 2050."""
    kind = data[0] if data else 0
    text, _ = _value(data, kind if kind in (_UTC_TIME, _GENERALIZED_TIME) else _UTC_TIME)
    form = "%y%m%d%H%M%SZ" if kind == _UTC_TIME else "%Y%m%d%H%M%SZ"
    try:
        found = dt.datetime.strptime(text.decode("ascii"), form).replace(tzinfo=dt.UTC)
    except ValueError as error:
        raise NotACertificateError("a time that is none") from error
    # strptime sets the border of the centuries at 69, RFC 5280 at 50.
    return found.replace(year=found.year - 100) if kind == _UTC_TIME and found.year >= 2050 else found
