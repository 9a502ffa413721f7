from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkers.certificates import Pki
from tests.real.nginx import Ports, nginx
from tests.real.programs import Program


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """An authority of this test run's own."""
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """For the programs of one file of tests: short, as paths of sockets have to be, and readable for their users."""
    made = tmp_path_factory.mktemp(request.module.__name__.rpartition("test_")[2])
    made.chmod(0o755)
    return made


@pytest.fixture(scope="module")
def server(folder: Path, pki: Pki) -> Iterator[tuple[Program, Ports]]:
    """nginx, and its ports."""
    program, ports = nginx(folder, pki.issued("localhost"), pki.issued("localhost", expired=True))
    with program:
        yield program, ports
