import dataclasses
import functools
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from checkers import net
from checkers.base import OptionError, Outcome, Phase, Target, Trace, show
from checkers.http_exchange import exchange
from checkers.http_expected import expectation
from checkers.http_judge import Answered, Expectation
from checkers.http_request import (
    Fields,
    Question,
    basic_authorization,
    check_host,
    check_path,
    fields_of,
    first_question,
)
from checkers.json_condition import JsonCondition
from checkers.proxy_header import Version, header
from checkers.tls import TlsChecker

_TALK = Phase.TALK  # looking up a member of an enum costs as much as a call


@dataclass(frozen=True, kw_only=True)
class Http(TlsChecker):
    """Passes when an HTTP server gives the expected answer to one request.

    `status` lists the good ones: "200,204,301-302". `expect` is a text that must stand in the body, `expect_regex` an
    expression found in it, `expect_header` an expression for each named header field; only the first `max_body` bytes
    of the body are read, and none when nothing is expected of it. `json` are conditions on the JSON in the body.
    `weight_header` names a header field, `weight_json` a path in that JSON, with the weight that the server asks for.
    `host` is the virtual host, and the TLS server name.

    `follow_redirects` is how many redirects are followed. Only the real server itself is ever asked: a location on
    another host is asked of it with that Host field, without user, Authorization and Cookie. One that is not
    followed is judged by `status` like any other answer.
    """

    default_port: ClassVar[int] = 80
    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT"] = "GET"
    path: str = "/"
    host: str | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False, hash=False)
    body: str | None = field(default=None, repr=False)
    user: str | None = None
    password_file: str | None = None
    status: str = "200-299"
    expect: str | None = None
    expect_regex: str | None = None
    expect_header: dict[str, str] = field(default_factory=dict, hash=False)
    json: tuple[JsonCondition, ...] = ()
    weight_header: str | None = None
    weight_json: str | None = None
    max_body: int = 262144
    follow_redirects: int = 0
    proxy_protocol: Version | None = None

    _fields: Fields = field(init=False, repr=False)
    _expectation: Expectation = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_request()
        self._check_bounds()
        prepared = {
            "_fields": fields_of(self.headers, basic_authorization(self.user, self.password_file)),
            "_expectation": expectation(self),
        }
        for name, value in prepared.items():
            object.__setattr__(self, name, value)

    def may_use_tls(self) -> bool:
        return self.tls or self.follow_redirects > 0

    async def check(self, target: Target) -> Outcome:
        scheme = "https" if self.tls else "http"
        first = first_question(target, method=self.method, scheme=scheme, host=self.host, path=self.path)
        answer = await self._ask(target, first, first)
        question, followed = first, 0
        while followed < self.follow_redirects:
            following = question.redirected(answer.status, "".join(answer.values("Location")[:1]))
            if following is None:
                break
            question, followed = following, followed + 1
            answer = await self._ask(target, question, first)
        expected, way = self._expectation, _way(question, followed)
        if len(answer.body) > expected.at_once:
            return await expected.judge_apart(answer, way, target.io)
        return expected.judge(answer, way)

    async def _ask(self, target: Target, question: Question, first: Question) -> Answered:
        same_host = question is first or question.host.lower() == first.host.lower()
        asked = target if question.port == target.port else dataclasses.replace(target, port=question.port)
        async with net.connect(asked, speaks_first=True) as stream:
            if self.proxy_protocol is not None:
                await stream.send(header(self.proxy_protocol, stream.local(), asked))
            if question.scheme == "https":
                name = self.tls_name if same_host else None
                await self._secure(stream, target.trace, question, name or question.name)
            target.trace.enter(_TALK, _waiting(question.method, question.path))
            return await self._exchange(stream, target.trace, question, same_host=same_host)

    async def _secure(self, stream: net.Stream, _: Trace, __: Question, name: str) -> None:
        """TLS with the server of that name, which is to answer the question."""
        await stream.start_tls(self.tls_context(), name)

    def _exchange(
        self, stream: net.Stream, trace: Trace, question: Question, *, same_host: bool
    ) -> Coroutine[object, object, Answered]:
        """The answer to the question; with credentials if it is for the host that they were given for."""
        request = question.encoded(self._fields, self._body_for(question), credentials=same_host)
        return exchange(stream, trace, request, self._expectation)

    def _body_for(self, question: Question) -> bytes | None:
        return (self.body or "").encode() if question.method in ("POST", "PUT") else None

    def _check_request(self) -> None:
        check_path(self.path)
        if self.host is not None:
            check_host(self.host)
        if self.body is not None and self.method not in ("POST", "PUT"):
            raise OptionError("body", f'needs method = "POST" or "PUT": {self.method} sends none')

    def _check_bounds(self) -> None:
        for option in ("expect", "expect_regex", "json", "weight_json"):
            if getattr(self, option) and self.method == "HEAD":
                raise OptionError(option, "cannot be met with method = HEAD, whose answer has no body")
        if not 0 <= self.follow_redirects <= 10:
            raise OptionError("follow_redirects", f"must be from 0 to 10, not {self.follow_redirects}")


@dataclass(frozen=True, kw_only=True)
class Https(Http):
    """`http` over TLS."""

    default_port: ClassVar[int] = 443

    tls: bool = True

    def __post_init__(self) -> None:
        if not self.tls:
            raise OptionError("tls", 'cannot be false here: type = "http" is the one without TLS')
        super().__post_init__()


@functools.lru_cache(maxsize=32)
def _waiting(method: str, path: str) -> str:
    return f"waiting for the answer to {method} {show(path)}"


def _way(question: Question, followed: int) -> str:
    plural = "s" if followed > 1 else ""
    return f" after {followed} redirect{plural}, last to {show(question.path)}" if followed else ""
