"""HTTP/2 (RFC 9113), agreed on in the TLS handshake, or spoken at once where the server is known to."""

from dataclasses import dataclass, field
from typing import ClassVar

from checkers import net
from checkers.base import Code, Failed, OptionError, Trace, show
from checkers.http import Http
from checkers.http2_exchange import Exchange, carry_out
from checkers.http_fields import RequestFields, refuse_idle_fields
from checkers.http_judge import Answered
from checkers.http_request import Question


@dataclass(frozen=True, kw_only=True)
class Http2(Http):
    """Passes when a server gives the expected answer to one request over HTTP/2.

    With TLS the server has to agree to "h2" in the handshake (ALPN); with `tls = false` HTTP/2 is spoken at once, by
    prior knowledge. The options are those of `http`.
    """

    default_port: ClassVar[int] = 443

    tls: bool = True

    _request: RequestFields = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.alpn:
            raise OptionError("alpn", 'is not an option here: it is "h2"')
        refuse_idle_fields(self.headers)
        if self.may_use_tls():
            object.__setattr__(self, "alpn", ("h2",))
        super().__post_init__()
        object.__setattr__(self, "_request", RequestFields.of(self._fields))

    async def _secure(self, stream: net.Stream, trace: Trace, question: Question, name: str) -> None:
        await super()._secure(stream, trace, question, name)
        require_h2(stream)

    async def _exchange(self, stream: net.Stream, trace: Trace, question: Question, *, same_host: bool) -> Answered:
        body, expected = self._body_for(question), self._expectation
        exchange = Exchange(self._request.request(question, body, credentials=same_host), body, expected.max_body)
        await carry_out(stream, trace, exchange, whole=False, until=b"")
        if expected.wants_body and exchange.answer.status in expected.accepted:
            await carry_out(stream, trace, exchange, whole=True, until=expected.until)
        return exchange.answer


def require_h2(stream: net.Stream) -> None:
    """Raises Failed unless the server has agreed to speak HTTP/2 within TLS (RFC 7301)."""
    agreed = stream.tls.protocol() if stream.tls else None
    if agreed != "h2":
        chosen = f"chosen {show(agreed)}" if agreed else "agreed to no protocol (ALPN)"
        raise Failed(Code.L6RSP, f'TLS handshake: the server has {chosen}; expected "h2"')
