from __future__ import annotations

import ssl


class TlsBuffers:
    """The TLS state machine between two memory buffers; it does no I/O."""

    def __init__(self, context: ssl.SSLContext, server_name: str | None, resume: TlsBuffers | None = None) -> None:
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        session = resume.session if resume else None
        self._object = context.wrap_bio(self._in, self._out, server_hostname=server_name, session=session)

    @property
    def session(self) -> ssl.SSLSession | None:
        """For another connection to the same server; with TLS 1.3 it is there once something has been read."""
        return self._object.session

    def handshake(self) -> bool:
        """True when the handshake is complete; otherwise it waits for more from the peer."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def feed(self, data: bytes) -> bool:
        """Hands over what the peer sent; False at the end of its stream."""
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()
        return bool(data)

    def outgoing(self) -> bytes:
        return self._out.read()

    def write(self, data: bytes) -> None:
        self._object.write(data)

    def read(self, limit: int) -> bytes | None:
        """Decrypted bytes, none at the end of the stream, or None while more is needed from the peer."""
        try:
            return self._object.read(limit)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""  # many servers close without close_notify; what is missing shows in the protocol above

    def described(self) -> str:
        cipher = self._object.cipher()
        return f"{self._object.version()} {cipher[0] if cipher else ''}".strip()

    def protocol(self) -> str | None:
        """What both sides have agreed on to speak within (RFC 7301), if they have."""
        return self._object.selected_alpn_protocol()

    def certificate(self) -> bytes:
        """The peer's, in DER form; none of a peer that has shown none."""
        return self._object.getpeercert(binary_form=True) or b""
