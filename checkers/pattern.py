r"""Regular expressions of the configuration, searched for in what hostile servers send.

Python's own engine goes back and tries again: `(a+)+$` takes 2**n steps on n bytes, and even `x.*y` takes n*n, while
nothing else in the process moves. RE2 never goes back: it takes at most as many steps as its program is long for each
byte, whatever the expression and whatever the bytes. Both are bounded here, so the product is.

Expressions mean what they mean to Python's `re`, with three differences: `\d`, `\w`, `\s` and `\b` know ASCII
alone, a match that ends with `$` takes in the newline that may follow, and what needs to go back (look-around, back
references, possessive and atomic groups) is refused.
"""

from __future__ import annotations

import re
import warnings
from typing import Any, Self

STEPS_AT_MOST = 1 << 26
"""Bytes times the length of the program. A step takes about 10 ns at worst, and next to nothing as a rule."""

_TOKEN = re.compile(
    r"""(?P<set> \[ \^? \]? (?: \\. | [^\]\\] )* \] )
      | \\ (?: u (?P<four> [0-9a-fA-F]{4} ) | U (?P<eight> [0-9a-fA-F]{8} ) | (?P<escaped> . ) )
      | \{, (?P<most> [0-9]+ ) \}
      | (?P<end> \$ )""",
    re.VERBOSE | re.DOTALL,
)
_IN_SET = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|.)|\[", re.DOTALL)
_MULTILINE_PART = re.compile(r"\(\?[a-zA-Z]*m[a-zA-Z-]*:")


INLINE_STEPS = 1 << 20
"""So many may be taken while everything else waits: some eight milliseconds at the very worst, where RE2 gives up
its table of states, as with `x.{25}y` in a text full of x."""


class PatternError(ValueError):
    """An expression cannot be used; the text goes on after the expression itself."""


class Pattern:
    """The expression `pattern`. Say with `within` how long a text it will have to do with.

    Raises:
        PatternError: it is none, or cannot be searched for in bounded time.

    """

    __slots__ = ("_regexp", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._regexp = _re2(_translated(pattern, "$" if _is_multiline(pattern) else r"(?:\n?\z)"))

    @property
    def steps(self) -> int:
        """For each byte, at worst."""
        steps: int = self._regexp.programsize
        return steps

    def within(self, longest: int) -> Self:
        """Itself, for texts of up to `longest` bytes.

        Raises:
            PatternError: one of these could take too many steps.

        """
        steps = self.steps
        if steps * longest > STEPS_AT_MOST:
            raise PatternError(
                f"may take {steps} steps for each of {longest} bytes, more than {STEPS_AT_MOST} in all: "
                f"make it simpler, or look at {STEPS_AT_MOST // steps} bytes at most"
            )
        return self

    def search(self, text: str) -> bool:
        """Whether there is a match anywhere in `text`."""
        return self._regexp.search(text.encode("utf-8", "replace")) is not None

    def end_of_match(self, data: bytes) -> int | None:
        """How many bytes the first match in `data` and what stands before it take up; None without a match.

        What is no UTF-8 is taken for a question mark, byte by byte.
        """
        if not data.isascii():
            data = data.decode("utf-8", "surrogateescape").encode("utf-8", "replace")
        found = self._regexp.search(data)
        return None if found is None else found.end()

    def captured(self, text: str) -> str | None:
        """What the first group takes in at the first match, or all of the match without a group; None without one."""
        found = self._regexp.search(text.encode("utf-8", "replace"))
        part = None if found is None else found.group(1 if self._regexp.groups else 0)
        return None if part is None else part.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"Pattern({self.pattern!r})"


def _is_multiline(pattern: str) -> bool:
    """Whether `^` and `$` are for each line; says what is wrong with an expression in Python's words."""
    try:
        with warnings.catch_warnings(category=FutureWarning, action="error"):
            flags = re.compile(pattern).flags
    except (re.error, RecursionError, OverflowError) as error:
        raise PatternError(f"is not a regular expression: {error}") from error
    except FutureWarning as warning:
        raise PatternError(rf"is ambiguous: {warning}; for the character itself write it with a \ before") from warning
    if _MULTILINE_PART.search(pattern):
        raise PatternError("cannot be used: write (?m) at its beginning, not for a part of it")
    return bool(flags & re.MULTILINE)


def _re2(pattern: str) -> Any:
    import re2  # noqa: PLC0415 - costs three megabytes that only users of expressions should pay

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern.encode(), options)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0].decode("utf-8", "replace") if isinstance(error, re2.error) else "it is no Unicode text"
        raise PatternError(
            f"cannot be used: {reason}. Expressions are run by RE2, whose time is bounded: "
            "it has no look-around, no back references, no possessive repetition, and repeats 1000 times at most"
        ) from error


def _translated(pattern: str, end: str) -> str:
    """The expression as RE2 writes it: what is the same in both is left as it is. `end` is what `$` stands for."""

    def in_set(found: re.Match[str]) -> str:
        code = found[1] or found[2]
        return f"\\x{{{code}}}" if code else f"\\{found[0]}" if found[0] == "[" else found[0]

    def token(found: re.Match[str]) -> str:
        code = found["four"] or found["eight"]
        if found["set"]:
            return "[" + _IN_SET.sub(in_set, found["set"][1:])
        if code:
            return f"\\x{{{code}}}"
        if found["most"]:
            return f"{{0,{found['most']}}}"
        if found["end"]:
            return end
        return r"\z" if found["escaped"] == "Z" else found[0]

    return _TOKEN.sub(token, pattern)
