from dataclasses import dataclass
from typing import ClassVar

from checkers import net
from checkers.agent_answer import LONGEST, NotAnAgentError, Report, line_of, read
from checkers.base import Code, Failed, OptionError, Outcome, Phase, Target, passed, show
from checkers.tls import TlsChecker


@dataclass(frozen=True, kw_only=True)
class Agent(TlsChecker):
    """Passes unless an agent, of HAProxy's agent-check protocol, says that the server is down; it may name a weight.

    `send` is sent first. The agent answers with one line: "down", "fail" and "stopped" fail; "75%" asks for that share
    of the configured weight; "drain" and "maint" ask for none of it. Each line counts by itself: what it does not say
    is as it would be without an agent.
    """

    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    send: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.send == "":
            raise OptionError("send", "must not be empty: leave it out to send nothing")

    async def check(self, target: Target) -> Outcome:
        async with net.connect(target) as stream:
            if self.tls:
                await self.start_tls(stream, target.address)
            if self.send is not None:
                await stream.send(self.send.encode())
            target.trace.enter(Phase.TALK, "waiting for the agent's line")
            line, received = await _line(stream, target)
        try:
            return _judged(read(line), line)
        except NotAnAgentError as error:
            raise Failed(Code.L7RSP, f"no answer of an agent: {error}, received {show(line or received)}") from error


async def _line(stream: net.Stream, target: Target) -> tuple[bytes, bytes]:
    """The line without its end, and all that was received."""
    received = b""
    while (line := line_of(received)) is None:
        if len(received) >= LONGEST:
            raise Failed(Code.L7RSP, f"a line of more than {LONGEST} bytes, which begins with {show(received)}")
        data = await stream.receive(LONGEST - len(received))
        if not data:
            what = show(received) if received else "nothing"
            raise Failed(Code.L7RSP, f"connection closed before the end of the agent's line, received {what}")
        received += data
        target.trace.enter(Phase.TALK, f"waiting for the end of the agent's line, received {show(received)}")
    return line, received


def _judged(report: Report, line: bytes) -> Outcome:
    said = f"agent says {show(line)}"
    if report.health not in ("", "up"):
        raise Failed(Code.L7STS, f"agent says {report.health}{f': {show(report.reason)}' if report.reason else ''}")
    if report.ignored:
        said += f"; not understood: {show(', '.join(report.ignored))}"
    if report.mode in ("drain", "maint"):
        return passed(Code.L7OK, said, factor=0.0)
    return passed(Code.L7OK, said, factor=report.factor, weight=report.weight)
