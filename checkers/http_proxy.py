"""An HTTP proxy: a request that goes through it, to a server behind or beyond it."""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import ClassVar

from checkers import net
from checkers.base import Code, Failed, OptionError, Phase, Target, Trace, show
from checkers.http import Http
from checkers.http_answer import Answer, read_head
from checkers.http_exchange import exchange
from checkers.http_judge import Answered
from checkers.http_request import PORTS, Fields, Question, authority, basic_authorization


@dataclass(frozen=True, kw_only=True)
class HttpProxy(Http):
    """Passes when a request through an HTTP proxy gets the expected answer.

    `host` is the server that is asked for, with its port unless it is the usual one; the proxy has to find it. The
    request names the whole URL, or with `tls` the proxy is told to CONNECT and TLS is spoken with the server through
    it: all the options of `tls` are about that server. `proxy_user` and the password in `proxy_password_file` are for
    the proxy, all else is as with `http`.
    """

    default_port: ClassVar[int] = 3128

    proxy_user: str | None = None
    proxy_password_file: str | None = None

    _proxy_field: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.host is None:
            raise OptionError("host", 'missing: the server that the proxy is asked for, such as "www.example.com"')
        authorization = basic_authorization(self.proxy_user, self.proxy_password_file, prefix="proxy_")
        line = f"Proxy-Authorization: {authorization}\r\n".encode() if authorization else b""
        object.__setattr__(self, "_proxy_field", line)

    async def _ask(self, target: Target, question: Question, first: Question) -> Answered:
        """It is always the proxy that is asked, whatever the port of the server behind."""
        return await super()._ask(target, question._replace(port=target.port), first)

    async def _secure(self, stream: net.Stream, trace: Trace, question: Question, name: str) -> None:
        await self._tunnel(stream, trace, question)
        await super()._secure(stream, trace, question, name)

    def _exchange(
        self, stream: net.Stream, trace: Trace, question: Question, *, same_host: bool
    ) -> Coroutine[object, object, Answered]:
        if question.scheme == "https":
            return super()._exchange(stream, trace, question, same_host=same_host)
        whole = question._replace(path=f"http://{question.host}{question.path}")
        fields = Fields(self._fields.open + self._proxy_field, self._fields.credentials)
        request = whole.encoded(fields, self._body_for(question), credentials=same_host)
        return exchange(stream, trace, request, self._expectation)

    async def _tunnel(self, stream: net.Stream, trace: Trace, question: Question) -> None:
        """Has the proxy connect the stream with the server asked for (RFC 9110, section 9.3.6).

        Raises:
            Failed: it refuses, or its answer is none.

        """
        where = authority(question.host, PORTS["https"])
        trace.enter(Phase.TALK, f"waiting for the answer to CONNECT {show(where)}")
        await stream.send(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n".encode() + self._proxy_field + b"\r\n")
        answer = Answer(0)
        try:
            await read_head(stream, trace, answer)
        finally:
            answer.let_go()
        answered = f"answered {answer.status_line} to CONNECT {show(where)}"
        if not 200 <= answer.status <= 299:
            raise Failed(Code.L7STS, f"{answered}; expected status 200-299")
        if not answer.beginning.endswith(b"\r\n\r\n"):  # TLS is begun by the client
            raise Failed(Code.L7RSP, f"{answered}, and sent more than that: {show(answer.beginning[-60:])}")
        stream.far_end = f"{where} behind {stream.far_end}"
