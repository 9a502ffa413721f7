"""The `agent` check, against agents that say one line, and against those that do not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.agent import Agent
from checkers.agent_answer import LONGEST, NotAnAgentError, Report, line_of, read
from checkers.base import Code, OptionError, Status, Target
from tests.checkers.asking import ask
from tests.checkers.servers import Canned, TcpServer
from tests.checkers.speaking import at, saying


@pytest.mark.parametrize(
    ("line", "report"),
    [
        (b"up", Report(health="up")),
        (b"UP Ready 75%", Report(health="up", mode="ready", factor=0.75)),
        (b"\t75%,ready, up", Report(health="up", mode="ready", factor=0.75)),
        (b"150%", Report(factor=1.5)),
        (b"0%", Report(factor=0.0)),
        (b"weight:40", Report(weight=40)),
        (b"weight:40%", Report(factor=0.4)),
        (b"weight:999999999", Report(weight=65535)),
        (b"10% 20%", Report(factor=0.2)),
        (b"10% weight:7", Report(weight=7)),
        (b"down up stopped", Report(health="stopped")),
        (b"drain", Report(mode="drain")),
        (b"maxconn:30", Report()),
        (b"down # 50% of the disks are up", Report(health="down", reason="50% of the disks are up")),
        (b"up 40 green", Report(health="up", ignored=("40", "green"))),
    ],
)
def test_lines(line: bytes, report: Report) -> None:
    """Words in any order and case; of several of one sort the last counts."""
    assert read(line) == report


@pytest.mark.parametrize(
    "line", [b"", b" \t", b"HTTP/1.1 400 Bad Request", b"# up", b"75", b"-5%", b"\xff\xfe", b"upp"]
)
def test_lines_of_others(line: bytes) -> None:
    """What has no word that an agent says is no answer of one."""
    with pytest.raises(NotAnAgentError, match="expected words such as"):
        read(line)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=LONGEST))
def test_any_bytes(received: bytes) -> None:
    """No other exception than the documented one, whatever comes."""
    line = line_of(received)
    assert line is None or len(line) < len(received)
    try:
        report = read(received if line is None else line)
    except NotAnAgentError:
        return
    assert report.factor is None or report.weight is None


@pytest.mark.parametrize(
    ("line", "status", "told", "factor", "weight"),
    [
        (b"up 75%\n", Status.PASS, 'L7OK agent says "up 75%"', 0.75, None),
        (b"ready\r\nnever read", Status.PASS, 'L7OK agent says "ready"', None, None),
        (b"weight:40\0", Status.PASS, 'L7OK agent says "weight:40"', None, 40),
        (b"drain 50%\n", Status.PASS, 'L7OK agent says "drain 50%"', 0.0, None),
        (b"maint\n", Status.PASS, 'L7OK agent says "maint"', 0.0, None),
        (b"up sideways\n", Status.PASS, 'L7OK agent says "up sideways"; not understood: "sideways"', None, None),
        (b"50% down\n", Status.FAIL, "L7STS agent says down", None, None),
        (b"fail # no disk\n", Status.FAIL, 'L7STS agent says fail: "no disk"', None, None),
        (b"drain stopped #\x1b[2J\n", Status.FAIL, 'L7STS agent says stopped: "\\x1b[2J"', None, None),
        (
            b"hello\n",
            Status.FAIL,
            'L7RSP no answer of an agent: expected words such as "up", "drain" or "75%", received "hello"',
            None,
            None,
        ),
        (
            b"\0\1 or so\n",  # a line that ends before it has begun shows what came nevertheless
            Status.FAIL,
            r'L7RSP no answer of an agent: expected words such as "up", "drain" or "75%", received "\x00\x01 or so\n"',
            None,
            None,
        ),
    ],
)
async def test_outcomes(
    tcp_server: TcpServer, line: bytes, status: Status, told: str, factor: float | None, weight: int | None
) -> None:
    """Down in any word fails, drain and maint leave no weight, and the line is shown."""
    outcome = await ask(Agent(), await at(tcp_server, saying(line)))
    assert (outcome.status, str(outcome), outcome.factor, outcome.weight) == (status, told, factor, weight)


async def test_it_is_told_first(tcp_server: TcpServer) -> None:
    """`send` is what an agent for many servers is asked by."""
    agent = Canned(b"up\n")
    outcome = await ask(Agent(send="one\r\n\r\n"), await at(tcp_server, agent))
    assert outcome.status is Status.PASS
    assert set(agent.requests) == {"one\r\n\r\n"}


async def test_a_line_without_an_end(tcp_server: TcpServer) -> None:
    """It is read up to its bound, and one that is not whole does not count, whatever stands in it."""
    endless = await ask(Agent(), await at(tcp_server, saying(b"up " * LONGEST)))
    assert (endless.status, endless.code) == (Status.FAIL, Code.L7RSP)
    assert endless.detail.startswith(f"a line of more than {LONGEST} bytes, which begins with ")
    dripping = await ask(Agent(), await at(tcp_server, saying(b"u", b"p", pause=0.05)), 0.3)
    assert str(dripping) == (
        'L7TOUT no result within 0.3 s while waiting for the end of the agent\'s line, received "up"'
    )


async def test_early_close(tcp_server: TcpServer) -> None:
    """Half a line is none: `up` may have been going on as `up down`."""
    outcome = await ask(Agent(send="\r\n\r\n"), await at(tcp_server, Canned(b"up")))
    assert str(outcome) == 'L7RSP connection closed before the end of the agent\'s line, received "up"'
    outcome = await ask(Agent(send="\r\n\r\n"), await at(tcp_server, Canned(b"")))
    assert str(outcome) == "L7RSP connection closed before the end of the agent's line, received nothing"


async def test_nobody_there() -> None:
    """An agent that cannot be reached fails: for a check there is no other way to be silent."""
    outcome = await ask(Agent(), Target(address="127.0.0.1", port=1))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L4CON)


def test_bad_options() -> None:
    """To send nothing is to leave it out."""
    with pytest.raises(OptionError, match="must not be empty: leave it out to send nothing"):
        Agent(send="")
