"""Servers on loopback that do what a test scripts: the friendly ones and the hostile ones."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class TcpServer(Protocol):
    """What the fixture `tcp_server` is: starts a server that runs `handler` for every connection."""

    async def __call__(
        self, handler: Handler, *, host: str = "127.0.0.1", context: ssl.SSLContext | None = None
    ) -> tuple[str, int]:
        """The address and port it listens on. A handler may return, hang, or meet a reset: the fixture cleans up."""
        ...


class ScriptedServers:
    """Any number of them, ended together."""

    def __init__(self) -> None:
        self._servers: list[asyncio.Server] = []
        self._talking: list[tuple[asyncio.Task[None], asyncio.StreamWriter]] = []

    async def start(
        self, handler: Handler, *, host: str = "127.0.0.1", context: ssl.SSLContext | None = None
    ) -> tuple[str, int]:
        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._talking.append((asyncio.create_task(_talk(handler, reader, writer)), writer))

        server = await asyncio.start_server(accepted, host, 0, ssl=context)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return host, port

    async def end(self) -> None:
        """Stops them all.

        Raises:
            Exception: what a handler raised, so that a failed assertion in one fails its test.

        """
        for server in self._servers:
            server.close()
        for task, _ in self._talking:
            task.cancel()
        results = await asyncio.gather(*(task for task, _ in self._talking), return_exceptions=True)
        for _, writer in self._talking:
            with suppress(AttributeError):  # Python 3.11.2 has forgotten a TLS transport that was closed twice
                writer.transport.abort()
        await asyncio.sleep(0)  # the transports close in the loop's next turn
        for result in results:
            if isinstance(result, Exception):
                raise result


async def _talk(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await handler(reader, writer)
        await writer.drain()
    except (ConnectionError, EOFError, ssl.SSLError):
        pass  # the checker has hung up: it has what it needs
    finally:
        writer.close()


class Canned:
    """A handler that reads one request head, answers with the given bytes, and closes unless told to `stay` open."""

    def __init__(self, *answers: bytes, stay: bool = False) -> None:
        self._answers = list(answers)
        self._stay = stay
        self.requests: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])
        await writer.drain()
        if self._stay:
            await asyncio.Event().wait()
