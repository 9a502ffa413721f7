from __future__ import annotations

from collections.abc import Callable

from checkers import ldap_answer, ldap_wire, net
from checkers.base import Code, Failed, Phase, Target, show
from checkers.ldap_answer import NotLdapError, TooManyError
from checkers.ldap_wire import Entry, Message

MESSAGES_AT_MOST = 16
"""In answer to one request: an entry, a few references, and the end."""


class Talk:
    """Requests, one after the other, and their answers."""

    def __init__(self, stream: net.Stream, target: Target) -> None:
        self._stream = stream
        self._target = target
        self._number = 0
        self._received = bytearray()

    async def begin_tls(self) -> None:
        """The server is ready to shake hands. What it has said before could be anybody's, and is forgotten."""
        await self._ask("StartTLS", ldap_wire.start_tls, ldap_answer.EXTENDED_RESPONSE, Code.L6RSP)
        self._received.clear()

    async def bind(self, dn: str | None, password: bytes) -> None:
        doing = "anonymous bind" if dn is None else f"bind as {show(dn)}"
        await self._ask(doing, lambda number: ldap_wire.bind(number, dn or "", password), ldap_answer.BIND_RESPONSE)

    async def entry(self, dn: str, attribute: str | None) -> Entry:
        """The entry of this name, with this attribute."""
        doing, wanted = f"search for {show(dn)}", attribute or ldap_wire.NO_ATTRIBUTES
        answers = await self._ask(
            doing, lambda number: ldap_wire.base_search(number, dn, wanted), ldap_answer.SEARCH_DONE
        )
        entries = [answer.entry for answer in answers if answer.entry is not None]
        if len(entries) != 1:
            raise Failed(Code.L7RSP, f"{doing}: {len(entries)} entries were returned; expected 1")
        return entries[0]

    async def unbind(self) -> None:
        await self._stream.send(ldap_wire.unbind(self._number + 1))

    async def _ask(
        self, doing: str, request: Callable[[int], bytes], last: str, refused: Code = Code.L7STS
    ) -> list[Message]:
        """The answers up to the one whose operation is `last`; Failed (`refused`) if that is a refusal."""
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
            if message.number != self._number or message.operation not in (
                last,
                ldap_answer.ENTRY,
                ldap_answer.REFERENCE,
            ):
                raise Failed(Code.L7RSP, f"{doing}: {_unexpected(message)}")
            answers.append(message)
            if len(answers) > MESSAGES_AT_MOST:
                raise Failed(Code.L7RSP, f"{doing}: the server sent more than {MESSAGES_AT_MOST} messages")
        result = answers[-1].result
        if result is not None and result.code:
            said = f" {show(result.text, 200)}" if result.text else ""
            raise Failed(refused, f"{doing}: {result.name}{said}")
        return answers

    async def _next(self, doing: str) -> tuple[Message, int]:
        try:
            while (found := ldap_wire.first_message(self._received)) is None:
                data = await self._stream.receive(net.RECEIVE_AT_MOST)
                if not data:
                    shown = f", received {show(bytes(self._received))}" if self._received else ""
                    raise Failed(Code.L7RSP, f"{doing}: connection closed before the answer{shown}")
                self._received += data
        except TooManyError:
            raise Failed(Code.L7RSP, f"{doing}: a message of more than {ldap_answer.MOST_VALUES} values") from None
        except NotLdapError:
            shown = show(bytes(self._received[:100]))
            raise Failed(Code.L7RSP, f"{doing}: the answer is not LDAP, received {shown}") from None
        del self._received[: found[1]]
        await self._target.io.turn()  # each takes some milliseconds at worst
        return found


def _unexpected(message: Message) -> str:
    """Such as the notice of disconnection (RFC 4511, section 4.4.1), whose number is 0."""
    if message.number == 0 and message.result is not None:
        return f"the server hangs up: {message.result.name} {show(message.result.text, 200)}"
    return f"an answer to something else: message {message.number}, {message.operation}"
