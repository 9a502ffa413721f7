"""HAProxy, from Debian's haproxy, and healthd ask the same agent, and come to the same weight and state."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from checkers.agent import Agent
from checkers.base import Outcome, Status, Target
from tests.checkers.asking import ask
from tests.real.haproxy import Haproxy, Opinion
from tests.support.ports import free_ports

CONFIGURED = 100
"""The server's weight: a percentage of it is easily read."""


class Spokesman:
    """An agent that says what it is told to."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.line = b"up ready 100%\n"
        self.asked: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readline())
        writer.write(self.line)
        writer.close()


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    """Of the agent, and of the server that it speaks for."""
    first, second = free_ports(2)
    return first, second


@pytest.fixture(scope="module")
def haproxy(folder: Path, ports: tuple[int, int]) -> Iterator[Haproxy]:
    agent, service = ports
    backend = f"""
backend pool
    server one 127.0.0.1:{service} weight {CONFIGURED} agent-check agent-port {agent} agent-inter 50ms agent-send one\\n
"""
    with Haproxy(folder, backend) as program:
        yield program


@pytest.fixture
async def agent(ports: tuple[int, int]) -> AsyncIterator[Spokesman]:
    spokesman = Spokesman(ports[0])
    server = await asyncio.start_server(spokesman, "127.0.0.1", spokesman.port)
    yield spokesman
    server.close()
    await server.wait_closed()


def ours(outcome: Outcome) -> Opinion:
    """The same in HAProxy's words: what it shows as draining is a weight of none here."""
    if outcome.status is not Status.PASS:
        return Opinion("DOWN", 0)
    weight = outcome.weight if outcome.weight is not None else round((outcome.factor or 0.0) * CONFIGURED)
    if outcome.weight is outcome.factor is None:
        weight = CONFIGURED
    return Opinion("UP" if weight else "DRAIN", weight)


def theirs(opinion: Opinion) -> Opinion:
    """Without the difference between sorts of being out, and without a weight that is then not used."""
    if opinion.status == "DOWN":
        return Opinion("DOWN", 0)
    out = opinion.status in ("MAINT", "DRAIN") or not opinion.weight
    return Opinion("DRAIN", 0) if out else opinion


LINES = [
    b"75% ready up\r\n",
    b"up ready 100%\n",
    b"UP,Ready,\t30%\n",
    b"down ready 100% # on fire\n",
    b"up 50% ready\n",
    b"stopped ready 100%\n",
    b"up ready 10% 20%\n",
    b"fail ready 100% # validity test\n",
    b"up ready 0%\n",
    b"up drain 100%\n",
    b"up ready 100% maxconn:30\n",
    b"up maint 100%\n",
    b"up ready 80% garbled\n",
    b"up ready 90%\rdown\n",
]
"""Each says something else than the one before: an opinion that has not changed shows."""


async def test_both_agree(haproxy: Haproxy, agent: Spokesman) -> None:
    """About every line that says all there is to say: state and weight."""
    checker, target = Agent(send="one\n"), Target(address="127.0.0.1", port=agent.port)
    for line in LINES:
        agent.line = line
        outcome = await ask(checker, target)
        expected = ours(outcome)
        found = await haproxy.until("pool/one", lambda opinion: theirs(opinion) == expected)  # noqa: B023 - awaited here
        assert theirs(found) == expected, line
    assert set(agent.asked) - {b""} == {b"one\n"}  # whoever was held up too long after connecting says nothing


async def test_drain_asks_for_no_weight_and_down_fails(haproxy: Haproxy, agent: Spokesman) -> None:
    """The two are not the same: a drained server is healthy."""
    target = Target(address="127.0.0.1", port=agent.port)
    checker = Agent(send="one\n")
    agent.line = b"drain\n"
    drained = await ask(checker, target)
    assert (drained.status, drained.factor) == (Status.PASS, 0.0)
    await haproxy.until("pool/one", lambda opinion: opinion.status == "DRAIN")
    agent.line = b"ready down # disk is full\n"
    down = await ask(checker, target)
    assert (down.status, str(down)) == (Status.FAIL, 'L7STS agent says down: "disk is full"')
    await haproxy.until("pool/one", lambda opinion: opinion.status == "DOWN")
