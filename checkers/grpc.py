"""gRPC servers, by the health service that they offer themselves (grpc.health.v1)."""

import re
from dataclasses import dataclass, field
from typing import ClassVar

from checkers import grpc_health, net
from checkers.base import Code, Failed, OptionError, Outcome, Phase, Target, passed, show
from checkers.grpc_health import MessageError, described_status, name_of_serving, serving_status
from checkers.http2 import require_h2
from checkers.http2_exchange import Exchange, carry_out
from checkers.http_fields import Field, FieldsAnswer, fields_of_lines, refuse_idle_fields, request_of
from checkers.http_request import check_host, fields_of, first_question
from checkers.tls import TlsChecker

_OWN_FIELD = re.compile(r"grpc-.*|content-type", re.IGNORECASE)
_ANSWER_AT_MOST = 1024  # bytes of the message: a HealthCheckResponse has 2, and 5 before them


@dataclass(frozen=True, kw_only=True)
class Grpc(TlsChecker):
    """Passes when a gRPC server says by its health service (grpc.health.v1) that a service of it is SERVING.

    Without `service` it is the server as a whole. `host` is the authority that is asked for, and the TLS server name;
    `headers` are further metadata of the call. With TLS the server has to agree to "h2" in the handshake (ALPN).
    """

    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    service: str = ""
    host: str | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False, hash=False)

    _metadata: list[Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.alpn:
            raise OptionError("alpn", 'is not an option here: it is "h2"')
        if self.tls:
            object.__setattr__(self, "alpn", ("h2",))
        super().__post_init__()
        if self.host is not None:
            check_host(self.host)
        if len(self.service) > 1000:
            raise OptionError("service", f"must have at most 1000 characters, not {len(self.service)}")
        refuse_idle_fields(self.headers)
        for name in self.headers:
            if _OWN_FIELD.fullmatch(name):
                raise OptionError("headers", f"{name} is not an option: it belongs to the call")
        given = fields_of(self.headers, None)
        metadata = [*fields_of_lines(given.open), *fields_of_lines(given.credentials)]
        object.__setattr__(self, "_metadata", [(name, value) for name, value in metadata if name != b"accept"])

    async def check(self, target: Target) -> Outcome:
        scheme = "https" if self.tls else "http"
        question = first_question(target, method="POST", scheme=scheme, host=self.host, path=grpc_health.PATH)
        request = request_of(question.method, scheme, question.host, question.path)
        request += [(b"content-type", b"application/grpc"), (b"te", b"trailers"), *self._metadata]
        async with net.connect(target, speaks_first=True) as stream:
            if self.tls:
                await self.start_tls(stream, question.name)
                require_h2(stream)
            target.trace.enter(Phase.TALK, f"waiting for the health of {self._named}")
            exchange = Exchange(request, grpc_health.request(self.service), _ANSWER_AT_MOST)
            await carry_out(stream, target.trace, exchange, whole=True, until=b"")
        return self._judge(exchange.answer)

    @property
    def _named(self) -> str:
        return f"service {show(self.service)}" if self.service else "the server"

    def _judge(self, answer: FieldsAnswer) -> Outcome:
        kind = "".join(answer.values("content-type")[:1])
        if answer.status != 200:
            raise Failed(Code.L7STS, f"answered {answer.status_line}; expected status 200")
        if not kind.startswith("application/grpc"):
            raise Failed(Code.L7RSP, f"answered {answer.status_line}, not gRPC: content-type is {show(kind)}")
        statuses = answer.values("grpc-status")
        if len(statuses) != 1 or not answer.complete:
            raise Failed(Code.L7RSP, f"answered {answer.status_line}, without one grpc-status at its end")
        if statuses[0] != "0":
            status = described_status(statuses[0], "".join(answer.values("grpc-message")[:1]))
            raise Failed(Code.L7STS, f"{self._named}: grpc-status {status}; expected 0 OK")
        try:
            health = serving_status(answer.body)
        except MessageError as error:
            raise Failed(Code.L7RSP, f"answered with {error}; expected a HealthCheckResponse") from error
        if health != grpc_health.SERVING:
            raise Failed(Code.L7STS, f"{self._named} is {name_of_serving(health)}; expected SERVING")
        return passed(Code.L7OK, f"{self._named} is SERVING")
