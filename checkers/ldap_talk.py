from __future__ import annotations

from collections.abc import Callable

from checkers import ldap_wire, net
from checkers.base import Code, Failed, Phase, Target, show
from checkers.ldap_wire import Message, NotLdapError, Result


class Talk:
    """Requests, one after the other, and their answers."""

    def __init__(self, stream: net.Stream, target: Target) -> None:
        self._stream = stream
        self._target = target
        self._number = 0
        self._received = bytearray()

    def forget(self) -> None:
        """What came before TLS could be anybody's."""
        self._received.clear()

    async def ask(self, doing: str, request: Callable[[int], bytes], last: int) -> list[Message]:
        """The answers up to the one whose operation is `last`."""
        self._number += 1
        self._target.trace.enter(Phase.TALK, f"waiting for the answer to {doing}")
        await self._stream.send(request(self._number))
        answers: list[Message] = []
        left = ldap_wire.LONGEST
        while not answers or answers[-1].operation != last:
            message, size = await self._next(doing)
            left -= size
            if left < 0:
                raise Failed(Code.L7RSP, f"{doing}: the server sent more than {ldap_wire.LONGEST} bytes")
            if message.number != self._number or message.operation not in (last, ldap_wire.ENTRY, ldap_wire.REFERENCE):
                raise Failed(Code.L7RSP, f"{doing}: {_unexpected(message)}")
            answers.append(message)
        return answers

    async def _next(self, doing: str) -> tuple[Message, int]:
        try:
            while (found := ldap_wire.first_message(self._received)) is None:
                data = await self._stream.receive(net.RECEIVE_AT_MOST)
                if not data:
                    shown = f", received {show(bytes(self._received))}" if self._received else ""
                    raise Failed(Code.L7RSP, f"{doing}: connection closed before the answer{shown}")
                self._received += data
        except NotLdapError:
            shown = show(bytes(self._received[:100]))
            raise Failed(Code.L7RSP, f"{doing}: the answer is not LDAP, received {shown}") from None
        del self._received[: found[1]]
        return found


def accepted(body: bytes, doing: str, code: Code) -> None:
    """Raises Failed with `code` if the server says that it has not done it."""
    result = _result(body)
    if result is None:
        raise Failed(Code.L7RSP, f"{doing}: the answer is broken: {show(body)}")
    if result.code:
        said = f" {show(result.text, 200)}" if result.text else ""
        raise Failed(code, f"{doing}: {result.name}{said}")


def _result(body: bytes) -> Result | None:
    try:
        return ldap_wire.result(body)
    except NotLdapError:
        return None


def _unexpected(message: Message) -> str:
    """Such as the notice of disconnection (RFC 4511, section 4.4.1), whose number is 0."""
    result = _result(message.body)
    if message.number == 0 and result is not None:
        return f"the server hangs up: {result.name} {show(result.text, 200)}"
    return f"an answer to something else: message {message.number}, operation {message.operation:#x}"
