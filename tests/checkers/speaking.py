"""TCP servers that only speak."""

import asyncio
import ssl

from checkers.base import Target
from tests.checkers.servers import Handler, TcpServer


def saying(*parts: bytes, pause: float = 0) -> Handler:
    """Sends `parts`, and then neither speaks nor hangs up."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        await asyncio.Event().wait()

    return handler


async def at(tcp_server: TcpServer, handler: Handler, context: ssl.SSLContext | None = None) -> Target:
    address, port = await tcp_server(handler, context=context)
    return Target(address=address, port=port)
