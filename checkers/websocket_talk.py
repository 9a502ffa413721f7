"""What is said over a WebSocket once it stands."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from checkers import net
from checkers.base import Code, Failed, Phase, Target, show
from checkers.websocket_frames import FrameError, Incoming, Message, Opcode, described_close, encoded

MESSAGES_AT_MOST = 1000
"""Pings and empty messages cost the server next to nothing, and us a look or an answer each."""

_AT_ONCE = 16384
_NORMAL = (1000).to_bytes(2, "big")  # RFC 6455, section 7.4.1


class Talk:
    """Takes at most `most` bytes from the server, what came with the handshake included."""

    def __init__(self, stream: net.Stream, target: Target, most: int) -> None:
        self._stream = stream
        self._trace = target.trace
        self._io = target.io
        self._most = self._room = most
        self._incoming = Incoming(most)
        self._messages = 0
        self._last = b""

    def heard(self, data: bytes) -> None:
        self._room -= len(data)
        self._incoming.feed(data)

    async def say(self, opcode: Opcode, data: bytes) -> None:
        await self._stream.send(encoded(opcode, data, secrets.token_bytes(4)))

    async def until(self, wanted: Callable[[Message], bool], what: str) -> Message:
        """The first message that is `wanted`. Pings before it are answered, other messages passed over.

        Raises:
            Failed: it does not come.

        """
        self._trace.enter(Phase.TALK, f"waiting for {what}")
        while not wanted(message := await self._next(what)):
            if message.opcode is Opcode.CLOSE:
                raise self._failed(f"the server closed, {described_close(message.data)}, before {what}")
            if message.opcode is Opcode.PING:
                await self.say(Opcode.PONG, message.data)
                await self._io.turn()  # others may have come with it
            elif message.opcode is not Opcode.PONG:
                self._last = message.data
        return message

    async def close(self) -> None:
        """Says goodbye and waits for the server's close frame; a server that hangs up instead has closed too.

        Raises:
            Failed: neither comes within what may be read.

        """
        what = "the answer to the close frame"
        await self.say(Opcode.CLOSE, _NORMAL)
        self._trace.enter(Phase.TALK, f"waiting for {what}")
        while (message := await self._received(what)) is not None:
            if message.opcode is Opcode.CLOSE:
                return

    async def _next(self, what: str) -> Message:
        message = await self._received(what)
        if message is None:
            raise self._failed(f"connection closed before {what}")
        return message

    async def _received(self, what: str) -> Message | None:
        """The next message, or None at the end of the stream."""
        try:
            while (message := self._incoming.take()) is None:
                if self._room <= 0:
                    raise self._failed(f"{what} not found in {self._most} bytes")
                data = await self._stream.receive(min(self._room, _AT_ONCE))
                if not data:
                    return None
                self.heard(data)
        except FrameError as error:
            raise self._failed(f"the server sent {error}, before {what}") from error
        self._messages += 1
        if self._messages > MESSAGES_AT_MOST:
            raise self._failed(f"{what} not found in {MESSAGES_AT_MOST} messages")
        return message

    def _failed(self, text: str) -> Failed:
        return Failed(Code.L7RSP, text + (f", last message {show(self._last)}" if self._last else ""))
