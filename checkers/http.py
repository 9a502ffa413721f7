import dataclasses
import functools
import re
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from checkers import net
from checkers.base import Code, Failed, OptionError, Outcome, Phase, Target, passed, show
from checkers.http_answer import Answer, read_body, read_head
from checkers.http_request import Fields, Question, basic_authorization, check_host, fields_of, first_question
from checkers.tls import TlsChecker

_PATH = re.compile(r"/[!-~]*")
_L7OK, _TALK = Code.L7OK, Phase.TALK  # looking up a member of an enum costs as much as a call
_STATUS = re.compile(r"([1-9][0-9][0-9])(?:-([1-9][0-9][0-9]))?")


@dataclass(frozen=True, kw_only=True)
class Http(TlsChecker):
    """Passes when an HTTP server gives the expected answer to one request.

    `status` lists the good ones: "200,204,301-302". `expect` is a text that must stand in the body, `expect_regex` an
    expression found in it, `expect_header` an expression for each named header field; only the first `max_body` bytes
    of the body are read, and none when nothing is expected of it. `host` is the virtual host, and the TLS server name.

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
    max_body: int = 262144
    follow_redirects: int = 0

    _fields: Fields = field(init=False, repr=False)
    _expected: bytes = field(init=False, repr=False)
    _accepted: frozenset[int] = field(init=False, repr=False)
    _regex: re.Pattern[str] | None = field(init=False, repr=False)
    _header_regexes: tuple[tuple[str, re.Pattern[str]], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_request()
        self._check_bounds()
        header_regexes = tuple((name, _compiled("expect_header", text)) for name, text in self.expect_header.items())
        prepared = {
            "_fields": fields_of(self.headers, basic_authorization(self.user, self.password_file)),
            "_expected": (self.expect or "").encode(),
            "_accepted": _accepted(self.status),
            "_regex": None if self.expect_regex is None else _compiled("expect_regex", self.expect_regex),
            "_header_regexes": header_regexes,
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
        return self._judge(answer, _way(question, followed))

    async def _ask(self, target: Target, question: Question, first: Question) -> Answer:
        same_host = question is first or question.host.lower() == first.host.lower()
        body = self._body_for(question)
        answer = Answer(self.max_body)
        asked = target if question.port == target.port else dataclasses.replace(target, port=question.port)
        async with net.connect(asked) as stream:
            if question.scheme == "https":
                name = self.tls_name if same_host else None
                await stream.start_tls(self.tls_context(), name or question.name)
            target.trace.enter(_TALK, _waiting(question.method, question.path))
            await stream.send(question.encoded(self._fields, body, credentials=same_host))
            try:
                await read_head(stream, target.trace, answer)
                if answer.status in self._accepted and (self.expect or self.expect_regex):
                    await read_body(stream, target.trace, answer, b"" if self._regex else self._expected)
            finally:
                answer.let_go()
        return answer

    def _body_for(self, question: Question) -> bytes | None:
        return (self.body or "").encode() if question.method in ("POST", "PUT") else None

    def _judge(self, answer: Answer, way: str) -> Outcome:
        answered = answer.status_line + way
        if answer.status not in self._accepted:
            location = "".join(f", Location {show(value)}" for value in answer.values("Location")[:1])
            raise Failed(Code.L7STS, f"answered {answered}{location}; expected status {self.status}")
        for name, regex in self._header_regexes:
            values = answer.values(name)
            if not any(regex.search(value) for value in values):
                found = f"{name} is {show(', '.join(values))}" if values else f"{name} is missing"
                raise Failed(Code.L7RSP, f"answered {answered}, {found}; expected a match of {show(regex.pattern)}")
        if self._expected not in answer.body:
            raise Failed(Code.L7RSP, f"answered {answered}, {show(self._expected)} {self._not_in_body(answer)}")
        if self._regex is not None and not self._regex.search(answer.body.decode("utf-8", "replace")):
            pattern = show(self._regex.pattern)
            raise Failed(Code.L7RSP, f"answered {answered}, a match of {pattern} {self._not_in_body(answer)}")
        return passed(_L7OK, answered)

    def _not_in_body(self, answer: Answer) -> str:
        if not answer.body:
            return "is not in the body, which is empty"
        whole = answer.complete and len(answer.body) < self.max_body
        part = "the body" if whole else f"the first {len(answer.body)} bytes of the body"
        return f"is not in {part}, which begins with {show(bytes(answer.body[:200]))}"

    def _check_request(self) -> None:
        if not _PATH.fullmatch(self.path):
            message = 'must start with "/" and be ASCII without blanks (write others as %20, %C3%BC)'
            raise OptionError("path", f'{message}, not "{self.path}"')
        if self.host is not None:
            check_host(self.host)
        if self.body is not None and self.method not in ("POST", "PUT"):
            raise OptionError("body", f'needs method = "POST" or "PUT": {self.method} sends none')

    def _check_bounds(self) -> None:
        for option in ("expect", "expect_regex"):
            value = getattr(self, option)
            if value is not None and self.method == "HEAD":
                raise OptionError(option, "cannot be met with method = HEAD, whose answer has no body")
            if value == "":
                raise OptionError(option, "must not be empty: leave it out to expect nothing of the body")
        if not 1 <= self.max_body <= 16 * 1024 * 1024:
            raise OptionError("max_body", f"must be from 1 to 16777216 bytes, not {self.max_body}")
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


def _accepted(status: str) -> frozenset[int]:
    codes: set[int] = set()
    for part in status.split(","):
        match = _STATUS.fullmatch(part.strip())
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if low > high:
            message = f'must be codes and ranges of them such as "200,204,301-302"; "{part}" is neither'
            raise OptionError("status", message)
        codes.update(range(low, high + 1))
    return frozenset(codes)


def _compiled(option: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise OptionError(option, f'"{text}" is not a regular expression: {error}') from error
