"""The conventions of the programs whose checks `command` runs: what a check is given, and what its end says. Pure.

1. A death by a signal is a failure in every style: of the programs imitated, ldirectord and mon take it for success.
2. `nagios`: 0 is well, 1 a warning, which passes as degraded, 2 critical, 3 not known. What follows a `|` is
   performance data (Monitoring Plugins Development Guidelines).
3. `keepalived`: 0 is well. Where the check is dynamic, e = 2 to 255 is well, too, and asks for the weight e - 2, so
   that 2 drains the server (keepalived.conf(5), MISC_CHECK). Of several such checks the weights add up.
4. JSON: the last line of the output is an object with any of the keys of `_JSON_TYPES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from checkers.base import Code, Failed, Outcome, Target, Unable, passed, show
from checkers.json_path import Json, described, read_json
from checkers.process import Ended

Style = Literal["plain", "ldirectord", "mon", "nanny", "nagios", "keepalived"]

EVIDENCE = 120  # characters of output in a detail

NAGIOS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")

_JSON_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "detail": ((str,), "a text"),
    "weight": ((int,), "an integer"),
    "factor": ((int, float), "a number, 1 for the whole of the configured weight"),
    "degraded": ((bool,), "true or false"),
}


def arguments(style: Style, words: Sequence[str], target: Target) -> list[str]:
    """The program and its arguments, as its style asks for them."""
    match style:
        case "ldirectord":
            virtual = str(target.fwmark) if target.fwmark else _bracketed(target.virtual_address)
            port = 0 if target.fwmark else target.virtual_port
            return [*words, virtual, str(port), _bracketed(target.address), str(target.port)]
        case "mon":
            return list(words[:-1]) if list(words[1:][-1:]) == [";;"] else [*words, target.address]
        case "nanny":
            return [{"%h": target.address, "%p": str(target.port)}.get(word, word) for word in words]
        case _:
            return list(words)


def evidence(style: Style, output: bytes) -> str:
    """What the program had to say. A monitor of mon's: its summary, the first line, and where it says why."""
    if style == "mon":
        summary, _, rest = output.partition(b"\n")
        why = next((line for line in map(bytes.strip, rest.split(b"\n")) if line), b"")
        said = [text for text in (summary.strip(), why) if text]
    else:
        said = [text] if (text := output.strip()) else []
    return "printed " + (", then ".join(show(text, EVIDENCE) for text in said) or "nothing")


def judged(style: Style, ended: Ended) -> Outcome:
    """What the end of a program says where nothing but its exit status decides."""
    if style == "nagios":
        return _nagios(ended)
    detail = f"{ended.how}, {evidence(style, ended.output)}"
    if ended.status:
        raise Failed(Code.PROCERR, detail)
    return passed(Code.PROCOK, detail)


def judged_exactly(ended: Ended, expected: str) -> Outcome:
    """The comparison of nanny: the output without its last character, whatever that is."""
    outcome = judged("nanny", ended)
    if ended.output[:-1] != expected.encode():
        raise Failed(Code.L7RSP, f"{outcome.detail}, not {show(expected, EVIDENCE)} and one character more")
    return outcome


def judged_dynamic(ended: Ended) -> Outcome:
    """MISC_CHECK of keepalived with misc_dynamic."""
    if ended.status < 2:
        return judged("keepalived", ended)
    return passed(Code.PROCOK, f"{ended.how}, {evidence('keepalived', ended.output)}", weight=ended.status - 2)


def judged_json(ended: Ended) -> Outcome:
    """The exit status decides; a program that passes says the rest itself.

    Raises:
        Failed: the exit status is not 0.
        Unable: it is, but the last line is not what it should be: no server is to blame for that.

    """
    outcome = judged("plain", ended)
    line = ended.output.rstrip().rpartition(b"\n")[2]
    try:
        said = _checked(read_json(line))
        detail = f"{ended.how}, {show(str(said['detail']), EVIDENCE)}" if "detail" in said else outcome.detail
        wishes = {key: value for key, value in said.items() if key != "detail"}
        return passed(Code.PROCOK, detail, **wishes)
    except ValueError as error:
        message = f"the last line is not the JSON that it should be: {error}; {outcome.detail}"
        raise Unable(Code.PROCUNK, message) from error


def _checked(value: Json) -> dict[str, Any]:
    """The object that a line of JSON is, each key of its type; ValueError if it is another."""
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, not {described(value)}")  # noqa: TRY004 - a fault of the text, not ours
    for key, item in value.items():
        if key not in _JSON_TYPES:
            raise ValueError(f"unknown key {show(key)}; known are {', '.join(_JSON_TYPES)}")
        types, wanted = _JSON_TYPES[key]
        if type(item) not in types:
            raise ValueError(f"{key} must be {wanted}, not {described(item)}")
    if "weight" in value and "factor" in value:
        raise ValueError("weight and factor cannot both be asked for")
    return value


def _nagios(ended: Ended) -> Outcome:
    if not 0 <= ended.status < len(NAGIOS):
        raise Failed(Code.PROCERR, f"{ended.how}, {evidence('nagios', ended.output)}")
    first, _, rest = ended.output.partition(b"\n")
    text, _, data = (part.strip() for part in first.partition(b"|"))
    more = b" ".join(rest.partition(b"|")[2].split())
    performance = b" ".join(part for part in (data, more) if part)
    detail = f"{NAGIOS[ended.status]}, {evidence('nagios', text)}"
    if performance:
        detail += f", performance data {show(performance, EVIDENCE)}"
    match ended.status:
        case 2:
            raise Failed(Code.PROCERR, detail)
        case 3:
            raise Unable(Code.PROCUNK, detail)
        case status:
            return passed(Code.PROCOK, detail, degraded=status == 1)


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
