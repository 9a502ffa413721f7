"""`healthd probe`: one check of one server, told step by step."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError

from checkers.base import Checker, Code, Outcome, Phase, Status, Target, Trace
from healthd.cli import address, kindpages, kinds, options, output, terminal
from healthd.cli.exits import Exit
from healthd.clock import SystemClock
from healthd.config.fields import Duration
from healthd.engine.boundary import run_check
from healthd.weights import Wish

STATUS = {Status.PASS: 0, Status.FAIL: 1, Status.UNKNOWN: 3}

Step = tuple[float, str]
"""Milliseconds since the beginning, and what was reached then."""


class RecordingTrace(Trace):
    """Also tells every step when it is reached, and keeps it."""

    __slots__ = ("_began", "_clock", "_tell", "steps")

    def __init__(self, tell: Callable[[Step], None]) -> None:
        super().__init__()
        self._clock = SystemClock()
        self._tell = tell
        self.steps: list[Step] = []
        self.begin()

    def begin(self) -> None:
        """From now on the time is counted."""
        self._began = self._clock.monotonic()

    def enter(self, phase: Phase, text: str = "") -> None:
        super().enter(phase, text)
        if text:
            self.note(text)

    def elapsed(self) -> float:
        """Milliseconds since the beginning."""
        return round((self._clock.monotonic() - self._began) * 1000, 1)

    def note(self, text: str) -> None:
        step = (self.elapsed(), text)
        self.steps.append(step)
        self._tell(step)


def _seconds(ctx: click.Context, parameter: click.Parameter, value: str) -> float:
    try:
        return TypeAdapter(Duration).validate_python(value)
    except ValidationError as error:
        raise click.BadParameter(error.errors()[0]["msg"], ctx, parameter) from error


@click.command(add_help_option=False)
@click.argument("kind", required=False)
@click.argument("where", metavar="ADDRESS[:PORT]", required=False)
@click.option("-o", "--option", "given", metavar="KEY=VALUE", multiple=True, help="An option of the check; repeatable.")
@click.option(
    "--timeout",
    metavar="DURATION",
    callback=_seconds,
    default="3s",
    show_default=True,
    help="The deadline of the whole check.",
)
@click.option(
    "--plugin-dir",
    type=click.Path(path_type=Path),
    default=Path("/etc/healthd/plugins"),
    show_default=True,
    help="Where the modules of module:Class kinds are.",
)
@options.output_format
@click.option("--list", "list_kinds", is_flag=True, help="List the kinds of check.")
@click.option("-h", "--help", "wants_help", is_flag=True, help="Show this, or with KIND the options of that kind.")
@click.pass_context
def probe(  # noqa: PLR0913 - one parameter for each option, as click hands them over
    ctx: click.Context,
    *,
    kind: str | None,
    where: str | None,
    given: tuple[str, ...],
    timeout: float,
    plugin_dir: Path,
    output_format: str,
    list_kinds: bool,
    wants_help: bool,
) -> int:
    r"""Run one check of KIND against ADDRESS and show each step with the time it took.

    KIND is one of `--list`, or module:Class from the plug-in folder; `healthd probe KIND --help` shows its options.
    ADDRESS is numeric or a host name, of which the first address is asked. The value of an option is written as in
    the configuration; text needs no quotes: -o path=/health -o port=8080 -o 'headers={Accept="text/html"}'. Only
    within quotes is \r\n a line end: -o 'send="PING\r\n"'.

    Exit status: 0 passed, 1 failed, 3 could not be told, 64 usage.
    """
    if list_kinds and output_format == "json":
        output.say_json([{"kind": name, "summary": summary} for name, summary in kindpages.summaries().items()])
        return Exit.OK
    if list_kinds:
        _say_lines(kindpages.list_lines(terminal.page()))
        return Exit.OK
    if kind is None:
        if not wants_help:
            raise click.UsageError("missing KIND and ADDRESS; `healthd probe --list` names the kinds", ctx)
        click.echo(ctx.get_help())
        return Exit.OK
    checker, its_options = kinds.found(kind, plugin_dir)
    if wants_help:
        _say_lines(kindpages.kind_lines(kind, checker, terminal.page()))
        return Exit.OK
    if where is None:
        raise click.UsageError(f"missing ADDRESS: whom to ask, as in `healthd probe {kind} 192.168.7.11:80`", ctx)
    made = kinds.made(checker, its_options, given, plugin_dir)
    return _Probe(kind, made, where, timeout).run(as_json=output_format == "json")


def _say_lines(lines: Iterable[str]) -> None:
    """Lines that are safe to print."""
    output.say_plain("\n".join(line.rstrip() for line in lines))


@dataclasses.dataclass(frozen=True)
class _Probe:
    kind: str
    checker: Checker
    where: str
    seconds: float

    def run(self, *, as_json: bool) -> int:
        host, port = address.split(self.where)
        checker = self.checker
        port = checker.port or port or checker.default_port
        if checker.needs_port and not port:
            raise click.UsageError(f"{self.kind} needs a port: write {self.where}:PORT, or -o port=PORT")
        trace = RecordingTrace(_ignore if as_json else _show_step)
        target, outcome = asyncio.run(self._asked(host, port, trace))
        status = STATUS[outcome.status]
        if as_json:
            output.say_json(self._as_json(target, trace.steps, outcome, status))
        else:
            asks = str(Wish.of_outcome(outcome, self.checker))
            verdict = f"{outcome.status.value}: {outcome}" + (f" ({asks})" if asks else "")
            output.say(_line((trace.elapsed(), verdict)), output.STYLES[outcome.status.value])
        return status

    async def _asked(self, host: str, port: int, trace: RecordingTrace) -> tuple[Target, Outcome]:
        trace.begin()
        try:  # the name is looked up in place: nobody else waits for this loop
            addresses = address.resolved(self.checker.address or host)
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            unresolved = Outcome(Status.UNKNOWN, Code.SOCKERR, f'"{host}" cannot be resolved: {reason}')
            return Target(address=host, port=port), unresolved
        if addresses != [host]:
            more = ", asking the first" if len(addresses) > 1 else ""
            trace.note(f"{host} is {', '.join(addresses)}{more}")
        target = Target(
            address=addresses[0],
            port=port,
            server_address=addresses[0],
            server_port=port,
            service="probe",
            route=self.checker.route,
            trace=trace,
        )
        return target, await run_check(self.checker, target, self.seconds, SystemClock())

    def _as_json(self, target: Target, steps: list[Step], outcome: Outcome, status: int) -> dict[str, object]:
        return {
            "kind": self.kind,
            "address": target.address,
            "port": target.port,
            "steps": [{"ms": ms, "text": text} for ms, text in steps],
            "status": outcome.status.value,
            "code": outcome.code,
            "detail": outcome.detail,
            "seconds": round(outcome.seconds, 6),
            "weight": outcome.weight,
            "factor": outcome.factor,
            "degraded": outcome.degraded,
            "exit": status,
        }


def _show_step(step: Step) -> None:
    output.say(_line(step))


def _line(step: Step) -> str:
    milliseconds, text = step
    return f"{milliseconds:8.1f} ms  {text}"


def _ignore(step: Step) -> None:
    """The steps are kept, and printed with the result."""
