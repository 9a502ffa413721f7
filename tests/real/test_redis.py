"""Redis, from Debian's redis-server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from checkers.base import Code, Target
from checkers.dialog import Dialog
from tests.real.programs import Program, free_port, through_faults


@pytest.fixture(scope="module")
def redis(folder: Path) -> Iterator[Program]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with Program(command, folder, port=port) as program:
        yield program


async def test_dialog_through_faults(redis: Program) -> None:
    """PING is answered with PONG; who has stopped refuses, and who hangs is cut off."""
    checker = Dialog(send="PING\r\n", expect="+PONG")
    target = Target(address="127.0.0.1", port=redis.port)
    await through_faults(checker, target, redis, refused=Code.L4CON, hung=Code.L7TOUT)
