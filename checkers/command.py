"""An external script as a check. docs/writing-a-checker.md is its manual for those who write the scripts."""

from __future__ import annotations

import asyncio
import difflib
import os
import re
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from checkers import process
from checkers.base import Checker, Code, Failed, OptionError, Outcome, Phase, Target, Unable, passed, show

PLACEHOLDER = re.compile(r"\{(?:\{(?P<text>[a-z_]+)\}|(?P<name>[a-z_]+))\}")
"""`{name}`, or `{{text}}`, which stands for `{text}` itself. No other brace means anything."""

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL")
"""What a script sees of healthd's own environment."""

EVIDENCE = 120  # characters of output in a detail


def facts(target: Target) -> dict[str, str]:
    """What a script is told: by placeholders of these names, and by variables `HEALTHD_` and the name in capitals.

    `server` and `virtual` are address and port together, as in the configuration. What does not apply is empty, a
    port or fwmark that does not apply is 0.
    """
    server = Target(address=target.server_address or target.address, port=target.server_port or target.port)
    virtual = Target(address=target.virtual_address, port=target.virtual_port)
    return {
        "address": target.address,
        "port": str(target.port),
        "protocol": target.protocol,
        "service": target.service,
        "server": server.where,
        "server_address": server.address,
        "server_port": str(server.port),
        "virtual": virtual.where,
        "virtual_address": virtual.address,
        "virtual_port": str(virtual.port),
        "fwmark": str(target.fwmark),
    }


NAMES = tuple(facts(Target(address="")))


@dataclass(frozen=True, kw_only=True)
class Command(Checker):
    """Runs a program and passes when it ends with status 0; written for healthd, ldirectord, mon or nanny.

    A non-zero status, a death by signal and the deadline are failures in every style: of the programs imitated, some
    take one or the other for success.
    """

    needs_port: ClassVar[bool] = False

    command: tuple[str, ...]
    style: Literal["plain", "ldirectord", "mon", "nanny"] = "plain"
    expect: str | None = None
    environment: dict[str, str] = field(default_factory=dict, repr=False)  # may hold a password
    output_limit: int = process.KEEP

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.command or not self.command[0]:
            raise OptionError("command", 'must name a program, as in ["/usr/local/bin/check-web", "{address}"]')
        for argument in self.command:
            _check_argument(argument)
        for name, value in self.environment.items():
            if not name or "=" in name or "\0" in name + value:
                raise OptionError("environment", f"{show(name)} cannot be set: no empty name, no =, no NUL character")
        if not 1 <= self.output_limit <= 1_048_576:
            raise OptionError("output_limit", f"must be from 1 to 1048576 bytes, not {self.output_limit}")
        self._check_expect()

    def _check_expect(self) -> None:
        if self.expect is None:
            return
        if self.style != "nanny":
            raise OptionError("expect", f'is for style = "nanny"; with style = "{self.style}" the exit status decides')
        # One byte more is dropped before the comparison, and one more shows that the output went on.
        needed = len(self.expect.encode()) + 2
        if self.output_limit < needed:
            raise OptionError("output_limit", f"must be at least {needed} to hold what expect asks for")

    async def check(self, target: Target) -> Outcome:
        argv = self.argv(target)
        ended = await self._run(argv, target)
        detail = f"{ended.how}, {self._evidence(ended.output)}"
        if ended.status:
            raise Failed(Code.PROCERR, detail)
        if self.expect is not None and ended.output[:-1] != self.expect.encode():
            raise Failed(Code.L7RSP, f"{detail}, not {show(self.expect, EVIDENCE)} and one character more")
        return passed(Code.PROCOK, detail)

    async def _run(self, argv: list[str], target: Target) -> process.Ended:
        doing, said = f"running {argv[0]}", bytearray()
        target.trace.enter(Phase.PROCESS, doing)
        try:
            return await process.run(argv, environment=self.variables(target), keep=self.output_limit, output=said)
        except OSError as error:
            raise Unable(Code.RUNERR, process.explain(error, argv[0])) from error
        except asyncio.CancelledError:
            target.trace.enter(Phase.PROCESS, f"{doing}, which {self._evidence(bytes(said))}")
            raise

    def argv(self, target: Target) -> list[str]:
        """The program and its arguments, as its style asks for them."""
        known = facts(target)
        words = [PLACEHOLDER.sub(lambda found: _filled(found, known), argument) for argument in self.command]
        match self.style:
            case "ldirectord":
                virtual = str(target.fwmark) if target.fwmark else _bracketed(target.virtual_address)
                port = 0 if target.fwmark else target.virtual_port
                return [*words, virtual, str(port), _bracketed(target.address), str(target.port)]
            case "mon":
                return words[:-1] if words[1:][-1:] == [";;"] else [*words, target.address]
            case "nanny":
                return [{"%h": target.address, "%p": str(target.port)}.get(word, word) for word in words]
            case _:
                return words

    def variables(self, target: Target) -> dict[str, str]:
        """The script's whole environment. The `environment` option has the last word."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        told = {f"HEALTHD_{name.upper()}": value for name, value in facts(target).items()}
        mon = {"MON_GROUP": target.service, "MON_SERVICE": target.service} if self.style == "mon" else {}
        return inherited | told | mon | self.environment

    def _evidence(self, output: bytes) -> str:
        text = output.strip()
        if self.style == "mon":
            text = text.partition(b"\n")[0]  # the summary, by mon's convention
        return f"printed {show(text, EVIDENCE)}" if text else "printed nothing"


def _check_argument(argument: str) -> None:
    if "\0" in argument:
        raise OptionError("command", f"{show(argument)}: an argument cannot hold a NUL character")
    for found in PLACEHOLDER.finditer(argument):
        name = found["name"]
        if name is None or name in NAMES:
            continue
        near = difflib.get_close_matches(name, NAMES, 1)
        guess = f'did you mean "{{{near[0]}}}"?' if near else f"known are {', '.join(NAMES)};"
        raise OptionError("command", f'unknown placeholder "{{{name}}}"; {guess} "{{{{{name}}}}}" is the text itself')


def _filled(found: re.Match[str], known: dict[str, str]) -> str:
    return known[found["name"]] if found["name"] else f"{{{found['text']}}}"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
