"""A server of HTTP/3 on the library aioquic. Run with a port, a certificate, and a file that says it is ready."""

import asyncio
import sys
from pathlib import Path

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent

ANSWERS = {
    b"/health": (b"200", b'{"status": "up"}'),
    b"/redirect": (b"302", b""),
    b"/big": (b"200", b"x" * 500_000 + b" the end\n"),
}


class Server(QuicConnectionProtocol):
    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type] # handed on as they are
        self._http = H3Connection(self._quic)
        self._asked: dict[int, dict[bytes, bytes]] = {}

    def quic_event_received(self, event: QuicEvent) -> None:
        for heard in self._http.handle_event(event):
            if isinstance(heard, HeadersReceived):
                self._asked[heard.stream_id] = dict(heard.headers)
            if isinstance(heard, HeadersReceived | DataReceived) and heard.stream_ended:
                self._answer(heard.stream_id, self._asked[heard.stream_id])

    def _answer(self, stream: int, asked: dict[bytes, bytes]) -> None:
        said = asked[b":method"] + b" " + asked[b":authority"] + b" " + asked.get(b"x-asked", b"")
        status, body = ANSWERS.get(asked[b":path"], (b"503", b"out of order"))
        if asked[b":path"] == b"/echo":
            status, body = b"200", said
        fields = [(b":status", status), (b"x-weight", b"50%"), (b"location", b"/health")]
        self._http.send_headers(stream, fields, end_stream=not body)
        if body:
            self._http.send_data(stream, body, end_stream=True)


async def main(port: int, certificate: str, key: str, ready: str) -> None:
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"])
    configuration.load_cert_chain(certificate, key)
    await serve("127.0.0.1", port, configuration=configuration, create_protocol=Server)
    Path(ready).touch()  # noqa: ASYNC240 - nobody is served yet
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:5]))
