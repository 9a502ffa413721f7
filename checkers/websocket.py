"""WebSocket servers (RFC 6455): the handshake, and what is said over it."""

import base64
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from checkers import net
from checkers.base import Code, Failed, OptionError, Outcome, Phase, Target, passed, show
from checkers.http_answer import Answer, read_head
from checkers.http_request import Fields, basic_authorization, check_host, check_path, fields_of, first_question
from checkers.tls import TlsChecker
from checkers.websocket_frames import Opcode, accept_of
from checkers.websocket_talk import Talk

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN_FIELD = re.compile(r"upgrade|sec-websocket-.*", re.IGNORECASE)
_LONGEST_ANSWER = 1 << 20


@dataclass(frozen=True, kw_only=True)
class WebSocket(TlsChecker):
    """Passes when a server switches to the WebSocket protocol and closes properly; and answers, where that is asked.

    `subprotocol` is the one that the server must agree to. `send` is sent as a text, `expect` must stand in one of the
    messages that come. With `ping` a ping must be answered. All that comes after the handshake is at most
    `max_answer` bytes. `host` is the virtual host, and the TLS server name.
    """

    default_port: ClassVar[int] = 80
    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    path: str = "/"
    host: str | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False, hash=False)
    user: str | None = None
    password_file: str | None = None
    subprotocol: str | None = None
    send: str | None = field(default=None, repr=False)  # may hold a token
    expect: str | None = None
    ping: bool = False
    max_answer: int = 65536

    _fields: Fields = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_path(self.path)
        if self.host is not None:
            check_host(self.host)
        for name in self.headers:
            if _OWN_FIELD.fullmatch(name):
                raise OptionError("headers", f"{name} is not an option: it belongs to the handshake")
        if self.subprotocol is not None and not _TOKEN.fullmatch(self.subprotocol):
            raise OptionError("subprotocol", f'must be one name such as "mqtt", not "{self.subprotocol}"')
        for option in ("send", "expect"):
            if getattr(self, option) == "":
                raise OptionError(option, "must not be empty")
        if not 1 <= self.max_answer <= _LONGEST_ANSWER:
            raise OptionError("max_answer", f"must be from 1 to {_LONGEST_ANSWER} bytes, not {self.max_answer}")
        fields = fields_of(self.headers, basic_authorization(self.user, self.password_file))
        object.__setattr__(self, "_fields", fields)

    async def check(self, target: Target) -> Outcome:
        scheme = "https" if self.tls else "http"
        question = first_question(target, method="GET", scheme=scheme, host=self.host, path=self.path)
        key = base64.b64encode(secrets.token_bytes(16))
        async with net.connect(target, speaks_first=True) as stream:
            if self.tls:
                await self.start_tls(stream, question.name)
            target.trace.enter(Phase.TALK, f"waiting for the answer to the upgrade of {show(self.path)}")
            await stream.send(self._request(question.host, key))
            answer = Answer(0)
            try:
                await read_head(stream, target.trace, answer)
            finally:
                answer.let_go()
            agreed = self._verified(answer, key)
            talk = Talk(stream, target, self.max_answer)
            talk.heard(_after_head(answer.beginning))
            return passed(Code.L7OK, answer.status_line + agreed + await self._said(talk))

    def _request(self, host: str, key: bytes) -> bytes:
        lines = [f"GET {self.path} HTTP/1.1", f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket"]
        lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key.decode()}"]
        if self.subprotocol:
            lines.append(f"Sec-WebSocket-Protocol: {self.subprotocol}")
        return (
            "".join(f"{line}\r\n" for line in lines).encode() + self._fields.open + self._fields.credentials + b"\r\n"
        )

    def _verified(self, answer: Answer, key: bytes) -> str:
        """What was agreed to; Failed unless the handshake is that of section 4.1."""
        if answer.status != 101:
            raise Failed(Code.L7STS, f"answered {answer.status_line} to the upgrade; expected status 101")
        wanted: dict[str, Callable[[str], bool]] = {
            "Upgrade": lambda value: value.strip().lower() == "websocket",
            "Connection": lambda value: "upgrade" in [part.strip() for part in value.lower().split(",")],
            "Sec-WebSocket-Accept": lambda value: value.strip() == accept_of(key),
            "Sec-WebSocket-Extensions": lambda value: not value,  # none was offered
            "Sec-WebSocket-Protocol": lambda value: value == (self.subprotocol or ""),
        }
        for name, is_well in wanted.items():
            value = ", ".join(answer.values(name))
            if not is_well(value):
                found = f"{name} is {show(value)}" if value else f"{name} is missing"
                offered = f'; expected "{self.subprotocol}"' if name.endswith("Protocol") and self.subprotocol else ""
                raise Failed(Code.L7RSP, f"answered {answer.status_line}, {found}: no valid handshake{offered}")
        return f", protocol {show(self.subprotocol)}" if self.subprotocol else ""

    async def _said(self, talk: Talk) -> str:
        """What was heard, for people."""
        heard = ""
        if self.send is not None:
            await talk.say(Opcode.TEXT, self.send.encode())
        if self.expect is not None:
            text = self.expect.encode()
            found = await talk.until(lambda it: it.opcode <= Opcode.BINARY and text in it.data, show(text))
            heard = f", received {show(found.data)}"
        if self.ping:
            payload = secrets.token_bytes(8)
            await talk.say(Opcode.PING, payload)
            await talk.until(lambda it: it == (Opcode.PONG, payload), "the answer to a ping")
            heard += ", ping answered"
        await talk.close()
        return heard


def _after_head(received: bytes) -> bytes:
    """What came after the head of the 101 answer, interim answers before it passed over."""
    while received and not received.startswith((b"HTTP/1.1 101", b"HTTP/1.0 101")):
        received = received.partition(b"\r\n\r\n")[2]
    return received.partition(b"\r\n\r\n")[2]
