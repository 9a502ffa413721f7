"""An external script as a check. docs/writing-a-checker.md is its manual for those who write the scripts."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from checkers import conventions, process
from checkers.base import Checker, Code, OptionError, Outcome, Phase, Target, Unable, show
from checkers.placeholders import check_placeholders, facts, filled

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL")
"""What a script sees of healthd's own environment."""


@dataclass(frozen=True, kw_only=True)
class Command(Checker):
    """Runs a program and passes when it ends with status 0; also checks of ldirectord, mon, nanny, Nagios, keepalived.

    A death by signal and the deadline are failures in every style. What else an exit status says is a matter of
    `style`. With `output = "json"` the last line may ask for a weight, or say that the server is degraded; with
    `dynamic` the exit status is keepalived's misc_dynamic and asks for a weight.
    """

    needs_port: ClassVar[bool] = False
    routed: ClassVar[bool | None] = True  # the script is told

    command: tuple[str, ...]
    style: conventions.Style = "plain"
    expect: str | None = None
    dynamic: bool = False
    output: Literal["text", "json"] = "text"
    environment: dict[str, str] = field(default_factory=dict, repr=False)  # may hold a password
    output_limit: int = process.KEEP

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.command or not self.command[0]:
            raise OptionError("command", 'must name a program, as in ["/usr/local/bin/check-web", "{address}"]')
        for argument in self.command:
            check_placeholders("command", argument)
        for name, value in self.environment.items():
            if not name or "=" in name or "\0" in name + value:
                raise OptionError("environment", f"{show(name)} cannot be set: no empty name, no =, no NUL character")
        if not 1 <= self.output_limit <= 1_048_576:
            raise OptionError("output_limit", f"must be from 1 to 1048576 bytes, not {self.output_limit}")
        if self.dynamic and self.style != "keepalived":
            raise OptionError("dynamic", f'is for style = "keepalived"; with style = "{self.style}" it means nothing')
        if self.output == "json" and self.style != "plain":
            raise OptionError("output", f'"json" is for style = "plain"; checks of style "{self.style}" know no JSON')
        self._check_expect()

    @property
    def adds_up(self) -> bool:
        return self.dynamic

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
        ended = await self._run(self.argv(target), target)
        if self.expect is not None:
            return conventions.judged_exactly(ended, self.expect)
        if self.dynamic:
            return conventions.judged_dynamic(ended)
        if self.output == "json":
            return conventions.judged_json(ended)
        return conventions.judged(self.style, ended)

    async def _run(self, argv: list[str], target: Target) -> process.Ended:
        doing, said = f"running {argv[0]}", bytearray()
        target.trace.enter(Phase.PROCESS, doing)
        try:
            return await process.run(argv, environment=self.variables(target), keep=self.output_limit, output=said)
        except OSError as error:
            raise Unable(Code.RUNERR, process.explain(error, argv[0])) from error
        except asyncio.CancelledError:
            target.trace.enter(Phase.PROCESS, f"{doing}, which {conventions.evidence(self.style, bytes(said))}")
            raise

    def argv(self, target: Target) -> list[str]:
        """The program and its arguments, as its style asks for them."""
        known = facts(target)
        return conventions.arguments(self.style, [filled(word, known) for word in self.command], target)

    def variables(self, target: Target) -> dict[str, str]:
        """The script's whole environment. The `environment` option has the last word."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        told = {f"HEALTHD_{name.upper()}": value for name, value in facts(target).items()}
        mon = {"MON_GROUP": target.service, "MON_SERVICE": target.service} if self.style == "mon" else {}
        return inherited | told | mon | self.environment
