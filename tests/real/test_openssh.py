"""SSH, from Debian's openssh-server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkers.base import Code, Target
from checkers.ssh import Ssh
from tests.checkers.asking import ask
from tests.real.programs import Program, through_faults
from tests.real.unprivileged import give, reachable_folder, run, unprivileged
from tests.support.ports import free_port
from tests.support.processes import until


class Sshd(Program):
    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        give(folder, 0o700)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"])
        self.log = folder / "output.log"
        port = free_port()
        options = [
            f"-oListenAddress=127.0.0.1:{port}",
            f"-oHostKey={folder}/key",
            "-oPidFile=none",
            "-oLogLevel=VERBOSE",
        ]
        super().__init__(unprivileged(["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", *options]), folder, port=port)


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    with reachable_folder() as folder, Sshd(folder / "sshd") as program:
        yield program


async def test_ssh_through_faults(sshd: Sshd) -> None:
    """It names itself; who has stopped refuses, and who hangs is cut off."""
    target = Target(address="127.0.0.1", port=sshd.port)
    outcomes = await through_faults(Ssh(), target, sshd, refused=Code.L4CON, hung=Code.L7TOUT)
    assert re.fullmatch(r'greeted with "SSH-2\.0-OpenSSH_[^"]*"', outcomes[0].detail)


async def test_wrong_content(sshd: Sshd) -> None:
    """Another server than the expected one."""
    target = Target(address="127.0.0.1", port=sshd.port)
    assert (await ask(Ssh(greeting="OpenSSH_"), target)).code == Code.L7OK
    outcome = await ask(Ssh(greeting="dropbear"), target)
    assert re.fullmatch(r'L7RSP greeted with "SSH-2\.0-OpenSSH_[^"]*"; expected "dropbear" in it', str(outcome))


async def test_the_server_sees_a_proper_end() -> None:
    """Its log, in which nobody else is, tells of a client that has disconnected and says why, and of no error."""
    with reachable_folder() as folder, Sshd(folder / "sshd") as sshd:
        await ask(Ssh(), Target(address="127.0.0.1", port=sshd.port))
        await until(lambda: sshd.log.read_text().count("health check") == 2)  # in a task and by the engine
        told = sshd.log.read_text()
    assert "error" not in told
    assert "reset" not in told
