"""Frames of HTTP/2 written by hand, and a server that says them."""

import asyncio
import struct
from collections.abc import Iterable

from hpack import Encoder

from checkers.base import Target
from tests.checkers.servers import Handler, TcpServer

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS = 1, 4


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def head(*fields: tuple[str, str], status: str = "200", flags: int = END_HEADERS) -> bytes:
    return frame(HEADERS, flags, 1, Encoder().encode([(":status", status), *fields]))


HELLO = frame(SETTINGS)


def trailers(*fields: tuple[str, str]) -> bytes:
    return frame(HEADERS, END_HEADERS | END_STREAM, 1, Encoder().encode(fields))


OK = HELLO + head(flags=END_HEADERS | END_STREAM)


def answering(*parts: bytes, pieces: Iterable[bytes] = (), pause: float = 0, stay: bool = True) -> Handler:
    """Says `parts` once it was spoken to, then `pieces`, and does not hang up, unless it is not to `stay`."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(b"".join(parts))
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        if stay:
            await asyncio.Event().wait()

    return handler


async def at(tcp_server: TcpServer, handler: Handler) -> Target:
    host, port = await tcp_server(handler)
    return Target(address=host, port=port)
