"""Certificates for QUIC: whom to believe, and who asks."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from aioquic.quic.configuration import QuicConfiguration
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificates

Identity = tuple[list[Certificate], PrivateKeyTypes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom to believe: `authorities` in PEM form, or None for the system's; nobody is asked without `verify`.

    `identity` is the client's certificate, with those between it and its authority, and its key.
    """

    verify: bool
    authorities: bytes | None
    identity: Identity | None = None


def identity_of(cert_file: bytes, key_file: bytes) -> Identity:
    """The contents of both, in PEM form; they may be the same. OpenSSL has taken them before."""
    return load_pem_x509_certificates(cert_file), load_pem_private_key(key_file, None)


def configuration(name: str, trust: Trust, *, window: int) -> QuicConfiguration:
    """For a connection to the server of that name, which may send `window` bytes ahead."""
    made = QuicConfiguration(
        alpn_protocols=["h3"],
        server_name=name,
        verify_mode=ssl.CERT_REQUIRED if trust.verify else ssl.CERT_NONE,
        max_data=window,
        max_stream_data=window,
    )
    system = ssl.get_default_verify_paths()
    if trust.identity is not None:
        (made.certificate, *made.certificate_chain), made.private_key = trust.identity
    if trust.authorities is None and (system.cafile or system.capath):
        made.load_verify_locations(cafile=system.cafile, capath=system.capath)
    else:  # where the system has none, nobody is trusted; the library would bring its own otherwise
        made.load_verify_locations(cadata=trust.authorities or b"")
    return made
