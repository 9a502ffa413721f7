import dataclasses
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import ClassVar

from checkers import net
from checkers.base import CheckEnded, Code, Failed, OptionError, Phase, Target, Trace, show
from checkers.ftp_passive import port_of
from checkers.lines import LoginChecker
from checkers.replies import MalformedError, framed
from checkers.talk import Talk

_ANONYMOUS = "anonymous"
_PASSIVE = "passive mode"
_DATA = "data connection"


@dataclass(frozen=True, kw_only=True)
class Ftp(LoginChecker):
    """Passes when an FTP server greets and, where asked, lets `user` in and sends `file`, with `expect` in it.

    The file is fetched in passive mode from the address that is checked, whatever address the server names, with TLS
    where the login has it. Only its first `max_file` bytes are read. Without `user` it is fetched as anonymous.
    """

    default_port: ClassVar[int] = 21
    grammar = staticmethod(framed)

    file: str | None = None
    expect: str | None = None
    max_file: int = 262144

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.file is not None and not (self.file and self.file.isprintable()):
            raise OptionError("file", "must be a path, without control characters")
        if self.expect is not None and self.file is None:
            raise OptionError(
                "expect", "needs file, whose text this is; for the server's first words there is greeting"
            )
        if self.expect == "":
            raise OptionError("expect", "must not be empty: leave it out to take any file")
        if not 1 <= self.max_file <= 16 * 1024 * 1024:
            raise OptionError("max_file", f"must be from 1 to 16777216 bytes, not {self.max_file}")

    def read_password(self) -> bytes:
        """An anonymous user needs none: an address is given by custom (RFC 1635)."""
        if self.password_file is None and self.user in (None, _ANONYMOUS):
            return b"healthd@"
        return super().read_password()

    async def converse(self, talk: Talk) -> None:
        self.judge_greeting(b"\n".join((await talk.greeting({"220"})).lines))
        if self.starttls:  # RFC 4217
            await talk.ask(b"AUTH TLS", {"234"}, "AUTH TLS")
            await talk.start_tls(self)
        user = self.user or (_ANONYMOUS if self.file is not None else None)
        if user is not None:
            await self._log_in(talk, user)
        if self.file is not None:
            self._judge(await self._fetch(talk, self.file), self.file)
            talk.note(f"file {show(self.file)}")

    async def _log_in(self, talk: Talk, user: str) -> None:
        doing = f"login as {show(user)}"
        reply = await talk.ask(b"USER " + user.encode(), {"230", "232", "331"}, doing)
        if reply.status == "331":
            await talk.ask(b"PASS " + self._password, {"202", "230"}, doing)
        talk.note(doing)

    async def _fetch(self, talk: Talk, file: str) -> bytes:
        doing = f"file {show(file)}"
        protected = self.tls or self.starttls
        if protected:
            await talk.ask(b"PBSZ 0", {"200"}, "PBSZ 0")
            await talk.ask(b"PROT P", {"200"}, "PROT P")
        await talk.ask(b"TYPE I", {"200"}, "TYPE I")
        port = await self._passive(talk)
        async with AsyncExitStack() as stack:
            data = await self._connected(stack, talk.target, port)
            await talk.ask(b"RETR " + file.encode(), {"125", "150"}, doing)
            if protected:
                await talk.start_tls_beside(self, data)
            content = await self._read(data)
        if len(content) < self.max_file:
            await talk.next_reply({"226", "250"}, doing)
        return content

    async def _connected(self, stack: AsyncExitStack, target: Target, port: int) -> net.Stream:
        """The data connection. That it does not come about is mostly the fault of a filter, so it is told apart."""
        there = dataclasses.replace(target, port=port, trace=_DataTrace(target.trace))
        try:
            return await stack.enter_async_context(net.connect(there))
        except CheckEnded as ended:
            raise type(ended)(ended.outcome.code, f"{_DATA}: {ended.outcome.detail}") from ended

    async def _passive(self, talk: Talk) -> int:
        """The port for the data connection; PASV is for servers that do not know EPSV."""
        reply = await talk.answer(b"EPSV", _PASSIVE)
        if reply.status.startswith("5") and ":" not in talk.target.address:
            reply = await talk.answer(b"PASV", _PASSIVE)
        if reply.status not in ("227", "229"):
            raise Failed(Code.L7STS, f"{_PASSIVE}: answered {reply}; expected 227 or 229")
        try:
            return port_of(reply)
        except MalformedError as error:
            raise Failed(Code.L7RSP, f"{_PASSIVE}: {error}") from error

    async def _read(self, data: net.Stream) -> bytes:
        content = bytearray()
        while len(content) < self.max_file and (part := await data.receive(self.max_file - len(content))):
            content += part
        return bytes(content)

    def _judge(self, content: bytes, file: str) -> None:
        if self.expect is None or self.expect.encode() in content:
            return
        begins = f"which begins with {show(content[:200])}" if content else "which is empty"
        part = (
            f"file {show(file)}" if len(content) < self.max_file else f"the first {len(content)} bytes of {show(file)}"
        )
        raise Failed(Code.L7RSP, f"{show(self.expect)} is not in {part}, {begins}")


class _DataTrace(Trace):
    """Says of all that is done on the data connection that it is there."""

    __slots__ = ("_whole",)

    def __init__(self, whole: Trace) -> None:
        super().__init__()
        self._whole = whole

    def enter(self, phase: Phase, text: str = "") -> None:
        self._whole.enter(phase, f"{text}, the {_DATA}" if text else "")

    def note(self, text: str) -> None:
        self._whole.note(f"{text}, the {_DATA}")
