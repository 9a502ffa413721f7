"""What can be said of the kernel's table without one. The rest is in tests/kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthd.ipvs import IpvsUnavailable
from healthd.ipvs.kernel import NO_IPVS, KernelIpvs


@pytest.mark.skipif(Path("/proc/net/ip_vs").exists(), reason="the running kernel has IPVS: tests/kernel looks at that")
def test_a_kernel_without_ipvs_is_told_with_the_remedy() -> None:
    """Without IPVS in the kernel the message says so, and what to do."""
    with pytest.raises(IpvsUnavailable) as caught:
        KernelIpvs()
    assert str(caught.value) == NO_IPVS
    assert not caught.value.permission
