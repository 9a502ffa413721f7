"""What is expected of an HTTP answer, of whatever version, and whether it is met."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Protocol

from checkers.apart import apart
from checkers.base import Code, Failed, Outcome, passed, show
from checkers.http_answer import HEAD_AT_MOST
from checkers.http_weight import HeaderWeight, JsonWeight
from checkers.json_condition import JsonCondition
from checkers.json_path import Json, read_json
from checkers.pattern import INLINE_STEPS, Pattern
from checkers.waiting import Io

_L7OK = Code.L7OK  # looking up a member of an enum costs as much as a call


class Answered(Protocol):
    """An answer as far as it was read. `complete` says that the body is all there."""

    @property
    def status(self) -> int: ...

    @property
    def status_line(self) -> str:
        """For people, in quotes."""

    @property
    def body(self) -> bytes | bytearray: ...

    @property
    def complete(self) -> bool: ...

    def values(self, name: str) -> list[str]:
        """The values of the header fields of that name, whose case does not matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Statuses, header fields, texts and JSON values that an answer must have, and where it may carry a weight.

    `status` is as the user wrote it, `accepted` what it means. `max_body` is how many bytes of the body are looked at,
    and `reads_all` says that somebody else looks at them too. What every check asks is worked out beforehand: whether
    the body has to be read at all, up to which text (empty: all of it), and whether as JSON.
    """

    status: str
    accepted: frozenset[int]
    text: bytes = b""
    regex: Pattern | None = None
    headers: tuple[tuple[str, Pattern], ...] = ()
    conditions: tuple[JsonCondition, ...] = ()
    header_weight: HeaderWeight | None = None
    json_weight: JsonWeight | None = None
    max_body: int = 262144
    reads_all: bool = False
    wants_body: bool = field(init=False)
    until: bytes = field(init=False)
    reads_json: bool = field(init=False)
    at_once: int = field(init=False)

    def __post_init__(self) -> None:
        in_body = sum(condition.steps for condition in self.conditions) + (self.regex.steps if self.regex else 0)
        in_head = sum(regex.steps for _, regex in self.headers) * HEAD_AT_MOST
        object.__setattr__(self, "at_once", max(0, INLINE_STEPS - in_head) // in_body if in_body else self.max_body)
        reads_json = bool(self.conditions or self.json_weight)
        object.__setattr__(self, "reads_json", reads_json)
        object.__setattr__(self, "wants_body", reads_json or bool(self.text or self.regex or self.reads_all))
        object.__setattr__(self, "until", b"" if reads_json or self.regex or self.reads_all else self.text)

    async def judge_apart(self, answer: Answered, way: str, io: Io) -> Outcome:
        """As `judge`, for a body of more than `at_once` bytes: a search that may take long holds nobody up."""
        return await apart(io, functools.partial(self.judge, answer, way))

    def judge(self, answer: Answered, way: str) -> Outcome:
        """The outcome of an answer that came by `way`, which is added to its status line.

        Raises:
            Failed: it is not as expected.

        """
        answered = answer.status_line + way
        if answer.status not in self.accepted:
            location = "".join(f", Location {show(value)}" for value in answer.values("Location")[:1])
            raise Failed(Code.L7STS, f"answered {answered}{location}; expected status {self.status}")
        for name, regex in self.headers:
            values = answer.values(name)
            if not any(regex.search(value) for value in values):
                found = f"{name} is {show(', '.join(values))}" if values else f"{name} is missing"
                raise Failed(Code.L7RSP, f"answered {answered}, {found}; expected a match of {show(regex.pattern)}")
        if answer.body.find(self.text) < 0:  # `in` first asks whether the text is a number, which raises
            raise Failed(Code.L7RSP, f"answered {answered}, {show(self.text)} {self._not_in_body(answer)}")
        if self.regex is not None and self.regex.end_of_match(bytes(answer.body)) is None:
            wanted = show(self.regex.pattern)
            raise Failed(Code.L7RSP, f"answered {answered}, a match of {wanted} {self._not_in_body(answer)}")
        if self.header_weight is not None or self.reads_json:
            return self._judge_values(answer, answered)
        return passed(_L7OK, answered)

    def _judge_values(self, answer: Answered, answered: str) -> Outcome:
        value = self._json_of(answer, answered) if self.reads_json else None
        for condition in self.conditions:
            if objection := condition.objection(value):
                raise Failed(Code.L7RSP, f"answered {answered}, {objection}")
        if self.json_weight is not None:
            return self.json_weight.outcome(value, answered)
        if self.header_weight is not None:
            return self.header_weight.outcome(answer.values(self.header_weight.name), answered)
        return passed(_L7OK, answered)

    def _json_of(self, answer: Answered, answered: str) -> Json:
        if not self._is_whole(answer):
            message = f"the body is longer than max_body, {self.max_body} bytes: its JSON is cut off"
            raise Failed(Code.L7RSP, f"answered {answered}, {message}")
        try:
            return read_json(answer.body)
        except ValueError as error:
            begins = f"begins with {show(bytes(answer.body[:200]))}" if answer.body else "is empty"
            raise Failed(Code.L7RSP, f"answered {answered}, the body is no JSON: {error}; it {begins}") from error

    def _not_in_body(self, answer: Answered) -> str:
        if not answer.body:
            return "is not in the body, which is empty"
        part = "the body" if self._is_whole(answer) else f"the first {len(answer.body)} bytes of the body"
        return f"is not in {part}, which begins with {show(bytes(answer.body[:200]))}"

    def _is_whole(self, answer: Answered) -> bool:
        return answer.complete and len(answer.body) < self.max_body
