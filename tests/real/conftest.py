from pathlib import Path

import pytest

from tests.checkers.certificates import Pki


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
