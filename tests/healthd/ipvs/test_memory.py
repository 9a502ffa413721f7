import pytest

from healthd.ipvs.memory import MemoryIpvs
from healthd.model import Table, VirtualService
from tests.support.ipvs_contract import WEB, IpvsContract


class TestMemoryIpvs(IpvsContract):
    @pytest.fixture
    def ipvs(self) -> MemoryIpvs:
        return MemoryIpvs()


def test_it_can_begin_with_a_table() -> None:
    """What it was given is what it holds."""
    table = Table({WEB: VirtualService()})
    assert MemoryIpvs(table).read() is table
