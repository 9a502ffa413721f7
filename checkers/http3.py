"""HTTP/3 (RFC 9114), by the optional library aioquic."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar

from checkers.base import OptionError, Phase, Target, show
from checkers.extras import extra
from checkers.http import Http
from checkers.http_fields import RequestFields, refuse_idle_fields
from checkers.http_judge import Answered
from checkers.http_request import Question
from checkers.tls import read_file


@dataclass(frozen=True, kw_only=True)
class Http3(Http):
    """Passes when a server gives the expected answer to one request over HTTP/3, which is QUIC over UDP.

    It is always encrypted, with TLS 1.3. The options are those of `https`.
    """

    default_port: ClassVar[int] = 443
    lean: ClassVar[bool] = False
    routed: ClassVar[bool | None] = True

    tls: bool = True

    _authorities: bytes | None = field(init=False, repr=False)
    _identity: Any = field(
        init=False, repr=False, compare=False, default=None
    )  # Identity, of a module not yet imported
    _request: RequestFields = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._refuse_what_has_no_effect()
        refuse_idle_fields(self.headers)
        super().__post_init__()
        with extra("http3"):
            from checkers.http3_trust import identity_of  # noqa: PLC0415 - only where it is used
        if self.cert_file is not None:
            cert = read_file("cert_file", self.cert_file)
            key = cert if self.key_file is None else read_file("key_file", self.key_file)
            object.__setattr__(self, "_identity", identity_of(cert, key))
        object.__setattr__(self, "_authorities", self.ca_file and read_file("ca_file", self.ca_file))
        object.__setattr__(self, "_request", RequestFields.of(self._fields))

    def _refuse_what_has_no_effect(self) -> None:
        if not self.tls:
            raise OptionError("tls", "cannot be false here: HTTP/3 is always encrypted")
        if self.alpn:
            raise OptionError("alpn", 'is not an option here: it is "h3"')
        if self.proxy_protocol is not None:
            raise OptionError("proxy_protocol", "is not an option here: it is for TCP")

    async def _ask(self, target: Target, question: Question, first: Question) -> Answered:
        from checkers.http3_exchange import Exchange  # noqa: PLC0415 - as above
        from checkers.http3_talk import carry_out  # noqa: PLC0415 - likewise
        from checkers.http3_trust import Trust  # noqa: PLC0415 - likewise

        same_host = question is first or question.host.lower() == first.host.lower()
        body, expected = self._body_for(question), self._expectation
        name = (self.tls_name if same_host else None) or question.name
        request = self._request.request(question, body, credentials=same_host)
        target.trace.enter(Phase.CONNECT, f"asking {question.method} {show(question.path)}")
        trust = Trust(verify=self.verify, authorities=self._authorities, identity=self._identity)
        exchange = Exchange(request, body, expected.max_body, name=name, trust=trust)
        body_for = expected.accepted if expected.wants_body else frozenset()
        asked = target if question.port == target.port else dataclasses.replace(target, port=question.port)
        return await carry_out(asked, exchange, until=expected.until, body_for=body_for)
