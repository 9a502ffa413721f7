"""Signatures of DNS messages by a shared secret, TSIG (RFC 8945). No I/O.

Beside dnswire.py, and by its rules: a question that is not signed never comes here.
"""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any

import dns.exception
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
from dns.rdtypes.ANY.TSIG import TSIG

from checkers import today
from checkers.base import OptionError
from checkers.dnsreply import NotAnAnswer
from checkers.dnswire import with_record

# These carry no types.
_sign: Any = dns.tsig.sign
_validate: Any = dns.tsig.validate
_tsig: Any = TSIG

_FUDGE = 300  # seconds that the clocks of both may differ, as RFC 8945 recommends

_ALGORITHMS = {
    "hmac-md5": dns.tsig.HMAC_MD5,
    "hmac-sha1": dns.tsig.HMAC_SHA1,
    "hmac-sha224": dns.tsig.HMAC_SHA224,
    "hmac-sha256": dns.tsig.HMAC_SHA256,
    "hmac-sha384": dns.tsig.HMAC_SHA384,
    "hmac-sha512": dns.tsig.HMAC_SHA512,
}

_REFUSALS = {
    dns.rcode.BADSIG: "BADSIG: the server has another secret under this name",
    dns.rcode.BADKEY: "BADKEY: the server does not know the key",
    dns.rcode.BADTIME: "BADTIME: the server's clock and this one differ too much",
}

_MISTRUST = {
    dns.tsig.BadSignature: "its signature is wrong",
    dns.tsig.BadTime: "it was signed too long ago or in the future",
    dns.tsig.BadKey: "it is signed with another key",
    dns.tsig.BadAlgorithm: "it is signed with another algorithm",
}


class Signer:
    """Signs with the key `name`; `secret` is in base64, as tsig-keygen prints it.

    Raises:
        OptionError: the name or the secret cannot be one.

    """

    def __init__(self, name: str, algorithm: str, secret: bytes) -> None:
        try:
            parsed = dns.name.from_text(name, origin=dns.name.root)
        except dns.exception.DNSException as error:
            raise OptionError("tsig_key", f'"{name}" is no name of a key: {error}') from error
        try:
            decoded = base64.b64decode(secret, validate=True)
        except binascii.Error as error:
            message = f"must hold the secret in base64, as tsig-keygen prints it: {error}"
            raise OptionError("tsig_secret_file", message) from error
        self._key = dns.tsig.Key(parsed, decoded, _ALGORITHMS[algorithm])

    def signed(self, query: bytes) -> bytes:
        """The query with a signature of this moment."""
        now, number = _now(), int.from_bytes(query[:2], "big")
        nothing = (dns.rdataclass.ANY, dns.rdatatype.TSIG, self._key.algorithm, now, _FUDGE, b"", number, 0, b"")
        signature, _ = _sign(query, self._key, _tsig(*nothing), now, b"")
        data = signature.to_wire() or b""
        record = struct.pack("!HHIH", dns.rdatatype.TSIG, dns.rdataclass.ANY, 0, len(data)) + data
        return query[:2] + with_record(query[2:], self._key.name.to_digestable() + record)

    def refusal(self, signature: TSIG, rcode: dns.rcode.Rcode) -> str:
        """Why the server refuses the key, if it does. That is not signed, and so it may say nothing but that.

        Raises:
            NotAnAnswer: it says something else beside.

        """
        if signature.error and rcode != dns.rcode.NOTAUTH:
            raise NotAnAnswer(f"an error of TSIG ({signature.error}) that is no refusal")
        return _REFUSALS.get(signature.error, f"error {signature.error}") if signature.error else ""

    def verify(self, message: bytes, asked: TSIG, owner: dns.name.Name, signature: TSIG, start: int) -> None:
        """Looks at the `signature` of `message`, which begins at `start`; `asked` is that of the query.

        Raises:
            NotAnAnswer: it is not by the same key, or not of now.

        """
        try:
            _validate(message, self._key, owner, signature, _now(), asked.mac, start)
        except tuple(_MISTRUST) as error:
            raise NotAnAnswer(_MISTRUST[type(error)]) from error


def tsig_from(parser: Any) -> TSIG:
    """The data of a signature; DNSException if it is malformed."""
    signature: TSIG = _tsig.from_wire_parser(dns.rdataclass.ANY, dns.rdatatype.TSIG, parser)
    return signature


def _now() -> int:
    return int(today.now().timestamp())
