"""Pretended databases: pieces of their protocols, and servers that say them."""

from __future__ import annotations

import asyncio
import struct

from tests.checkers.servers import Handler

GREETING = b"\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf\x15" + bytes(10) + b"ijklmnopqrst\0caching\0"
"""MySQL's, of a server with TLS."""


def message(kind: bytes, body: bytes) -> bytes:
    """PostgreSQL's."""
    return kind + struct.pack("!I", 4 + len(body)) + body


def packet(number: int, body: bytes) -> bytes:
    """MySQL's."""
    return len(body).to_bytes(3, "little") + bytes([number]) + body


AUTHENTICATED = message(b"R", b"\0\0\0\0") + message(b"Z", b"I")
OK = b"\0\0\0\x02\0\0\0"


def until_left(*parts: bytes, pause: float = 0, repeat: int = 1) -> Handler:
    """Sends `parts`, and hangs up when the other side has."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts * repeat:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        while await reader.read(65536):
            pass

    return handler


def closing(*parts: bytes) -> Handler:
    """Sends `parts` and ends its side; what it is sent is taken to the end, so that there is no reset."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.writelines(parts)
        writer.write_eof()
        while await reader.read(65536):
            pass

    return handler
