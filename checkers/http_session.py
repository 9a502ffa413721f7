"""Several requests in a row, each with what the answers before it have handed on: a login, and the page behind it."""

import dataclasses
import functools
from dataclasses import dataclass, field
from typing import ClassVar

from checkers import net
from checkers.apart import apart
from checkers.base import Code, Failed, OptionError, Outcome, Phase, Target, Trace, passed, show
from checkers.http_answer import Answer
from checkers.http_capture import CaptureError, Cookies
from checkers.http_exchange import exchange
from checkers.http_request import Fields, Question, check_host, fields_of, first_question
from checkers.http_step import HttpStep
from checkers.http_template import NAME
from checkers.passwords import read_password
from checkers.proxy_header import Version, header
from checkers.tls import TlsChecker

_STEPS_AT_MOST = 20


@dataclass(frozen=True, kw_only=True)
class HttpSession(TlsChecker):
    """Passes when a server gives the expected answers to several requests in a row, as in a login and what follows.

    `steps` are the requests; cookies are kept from one to the next, and so are the values that a step captures.
    `secrets` are further values, by name, each from a file. `headers` are sent with every request, `host` is the
    virtual host and the TLS server name, and `follow_redirects` how many redirects are followed in each step. One
    deadline holds for all.
    """

    default_port: ClassVar[int] = 80
    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    steps: tuple[HttpStep, ...]
    host: str | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False, hash=False)
    secrets: dict[str, str] = field(default_factory=dict, repr=False, hash=False)
    follow_redirects: int = 0
    proxy_protocol: Version | None = None

    _secrets: dict[str, str] = field(init=False, repr=False, hash=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.host is not None:
            check_host(self.host)
        fields_of(self.headers, None)
        if not 1 <= len(self.steps) <= _STEPS_AT_MOST:
            raise OptionError("steps", f"must be from 1 to {_STEPS_AT_MOST}, not {len(self.steps)}")
        if not 0 <= self.follow_redirects <= 10:
            raise OptionError("follow_redirects", f"must be from 0 to 10, not {self.follow_redirects}")
        for name in self.secrets:
            if not NAME.fullmatch(name):
                raise OptionError("secrets", f'"{name}" is no name: write letters, digits and _')
        read = {name: read_password("secrets", path).decode("utf-8", "replace") for name, path in self.secrets.items()}
        object.__setattr__(self, "_secrets", read)
        known = set(read)
        for number, step in enumerate(self.steps, 1):
            if unknown := sorted(step.names - known):
                names = ", ".join(sorted(known)) or "none"
                message = f"step {number}: ${{{unknown[0]}}} is neither a secret nor captured before; known: {names}"
                raise OptionError("steps", message)
            known |= set(step.capture)

    def may_use_tls(self) -> bool:
        return self.tls or self.follow_redirects > 0

    async def check(self, target: Target) -> Outcome:
        values, cookies, outcome = dict(self._secrets), Cookies(), passed(Code.L7OK)
        for number, step in enumerate(self.steps, 1):
            where = f"step {number} of {len(self.steps)}"
            within = dataclasses.replace(target, trace=_Within(target.trace, where))
            try:
                outcome = await self._carry_out(within, step, values, cookies)
            except Failed as failed:
                raise Failed(failed.outcome.code, f"{where}, {failed.outcome.detail}") from failed
        return passed(Code.L7OK, f"{len(self.steps)} steps, the last answered {outcome.detail}")

    async def _carry_out(self, target: Target, step: HttpStep, values: dict[str, str], cookies: Cookies) -> Outcome:
        scheme, path = "https" if self.tls else "http", step.filled_path(values)
        first = question = first_question(target, method=step.method, scheme=scheme, host=self.host, path=path)
        fields, body = fields_of(self.headers | step.filled_headers(values), None), step.filled_body(values)
        followed = 0
        while True:
            target.trace.note(f"{question.method} {show(step.path)}")
            answer = await self._ask(target, question, first, _Sent(step, fields, body, cookies))
            following = question.redirected(answer.status, "".join(answer.values("Location")[:1]))
            if following is None or followed >= self.follow_redirects:
                break
            question, followed = following, followed + 1
        way = f" after {followed} redirect{'s' if followed > 1 else ''}" if followed else ""
        if len(answer.body) > step.expected.at_once:
            outcome = await step.expected.judge_apart(answer, way, target.io)
        else:
            outcome = step.expected.judge(answer, way)
        for name, capture in step.capture.items():
            await target.io.turn()  # each looks through the whole body
            look = functools.partial(capture.value, answer)
            try:
                values[name] = await apart(target.io, look) if capture.takes_long(answer) else look()
            except CaptureError as error:
                raise Failed(Code.L7RSP, f"answered {answer.status_line}{way}, the value {name} {error}") from error
        return outcome

    async def _ask(self, target: Target, question: Question, first: Question, sent: "_Sent") -> Answer:
        own = question.host.lower() == first.host.lower()
        asked = target if question.port == target.port else dataclasses.replace(target, port=question.port)
        async with net.connect(asked, speaks_first=True) as stream:
            if self.proxy_protocol is not None:
                await stream.send(header(self.proxy_protocol, stream.local(), asked))
            if question.scheme == "https":
                await stream.start_tls(self.tls_context(), (self.tls_name if own else None) or question.name)
            target.trace.enter(Phase.TALK, f"waiting for the answer to {question.method} {show(sent.step.path)}")
            answer = await exchange(stream, target.trace, sent.request(question, own=own), sent.step.expected)
        if own:
            sent.cookies.take(answer.values("Set-Cookie"))
        return answer


@dataclass(frozen=True, slots=True)
class _Sent:
    step: HttpStep
    fields: Fields
    body: bytes | None
    cookies: Cookies

    def request(self, question: Question, *, own: bool) -> bytes:
        """The request's bytes; cookies and credentials only if it is for the session's `own` host."""
        line = f"Cookie: {cookies}\r\n" if (cookies := self.cookies.field()) else ""
        fields = Fields(self.fields.open, self.fields.credentials + line.encode())
        return question.encoded(fields, self.body if question.method in ("POST", "PUT") else None, credentials=own)


class _Within(Trace):
    """Tells the trace of the whole check, with the step that it is in."""

    __slots__ = ("_trace", "_where")

    def __init__(self, trace: Trace, where: str) -> None:
        super().__init__()
        self._trace = trace
        self._where = where

    def enter(self, phase: Phase, text: str = "") -> None:
        self._trace.enter(phase, f"in {self._where}, {text}")

    def note(self, text: str) -> None:
        self._trace.note(f"in {self._where}, {text}")
