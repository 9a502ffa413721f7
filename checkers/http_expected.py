"""From the options of a check, or of a step, to what is expected of an HTTP answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from checkers.base import OptionError
from checkers.http_answer import HEAD_AT_MOST
from checkers.http_judge import Expectation
from checkers.http_weight import HeaderWeight, JsonWeight
from checkers.json_condition import JsonCondition
from checkers.json_path import LONGEST_JSON
from checkers.pattern import Pattern, PatternError
from checkers.statuses import accepted_statuses

_BODY_AT_MOST = 16 * 1024 * 1024


def pattern(option: str, text: str, longest: int) -> Pattern:
    """The expression `text`, to be searched for in texts of up to `longest` bytes.

    Raises:
        OptionError: it is none, or one that cannot be searched for in bounded time.

    """
    try:
        return Pattern(text).within(longest)
    except PatternError as error:
        raise OptionError(option, f'"{text}" {error}') from error


class Options(Protocol):
    """The options of a kind, or of a step, that say what is expected. Any may be left at what expects nothing."""

    @property
    def status(self) -> str: ...
    @property
    def expect(self) -> str | None: ...
    @property
    def expect_regex(self) -> str | None: ...
    @property
    def expect_header(self) -> Mapping[str, str]: ...
    @property
    def json(self) -> tuple[JsonCondition, ...]: ...
    @property
    def weight_header(self) -> str | None: ...
    @property
    def weight_json(self) -> str | None: ...
    @property
    def max_body(self) -> int: ...


def expectation(given: Options) -> Expectation:
    """The expectation that the options of a kind make.

    Raises:
        OptionError: one of them cannot be met.

    """
    for option in ("expect", "expect_regex"):
        if getattr(given, option) == "":
            raise OptionError(option, "must not be empty: leave it out to expect nothing of the body")
    if not 1 <= given.max_body <= _BODY_AT_MOST:
        raise OptionError("max_body", f"must be from 1 to {_BODY_AT_MOST} bytes, not {given.max_body}")
    if (given.json or given.weight_json is not None) and given.max_body > LONGEST_JSON:
        raise OptionError("max_body", f"must be at most {LONGEST_JSON} where JSON is read, not {given.max_body}")
    if given.weight_header is not None and given.weight_json is not None:
        raise OptionError("weight_json", "cannot stand beside weight_header: give one of the two")
    return Expectation(
        status=given.status,
        accepted=accepted_statuses(given.status),
        text=(given.expect or "").encode(),
        regex=None if given.expect_regex is None else pattern("expect_regex", given.expect_regex, given.max_body),
        headers=tuple(
            (name, pattern("expect_header", text, HEAD_AT_MOST)) for name, text in given.expect_header.items()
        ),
        conditions=given.json,
        header_weight=None if given.weight_header is None else HeaderWeight.named(given.weight_header),
        json_weight=None if given.weight_json is None else JsonWeight.at(given.weight_json),
        max_body=given.max_body,
    )
