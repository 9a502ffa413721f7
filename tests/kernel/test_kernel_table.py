"""healthd.ipvs.kernel on a real kernel, with ipvsadm as the witness."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthd.edits import AddDestination, AddService, EditService
from healthd.ipvs.kernel import NOT_PERMITTED, KernelIpvs
from healthd.model import Destination, Endpoint, Forward, ServiceOptions, Table, VirtualService
from tests.support import ipvsadm
from tests.support.ipvs_contract import FIRST, WEB, WEB6, IpvsContract, filled


@pytest.fixture
def ipvs() -> Iterator[KernelIpvs]:
    subprocess.run(["ipvsadm", "-C"], check=True)
    kernel = KernelIpvs()
    yield kernel
    kernel.close()


class TestKernelIpvs(IpvsContract):
    def witnessed(self, table: Table) -> None:
        assert ipvsadm.saved() == ipvsadm.expected(table)
        assert ipvsadm.thresholds() == ipvsadm.expected_thresholds(table)


def test_what_ipvsadm_wrote_is_read(ipvs: KernelIpvs) -> None:
    """A service made by hand is read as what it is."""
    for command in (
        "-A -t 192.168.7.110:80 -s sh -p 300 -M 255.255.255.0 -b sh-port",
        "-a -t 192.168.7.110:80 -r 192.168.7.11:80 -g -w 2 -x 100 -y 50",
        "-A -t [2001:db8::10]:80 -s wrr",
    ):
        subprocess.run(["ipvsadm", *command.split()], check=True)
    web = VirtualService(
        ServiceOptions("sh", frozenset({2}), persistent=300, prefix=24), {FIRST: Destination(Forward.GATE, 2, 100, 50)}
    )
    assert ipvs.read() == Table({WEB: web, WEB6: VirtualService(ServiceOptions("wrr"))})


def test_a_missing_scheduler_is_named_with_the_remedy(ipvs: KernelIpvs) -> None:
    """A scheduler that the kernel cannot load is told apart from a service that is missing."""
    filled(ipvs, Table({WEB: VirtualService()}))
    unknown = ServiceOptions("nosuch")
    answers = ipvs.apply([AddService(WEB6, unknown), EditService(WEB, unknown)])
    remedy = "scheduler nosuch is not available in this kernel: modprobe ip_vs_nosuch (No such file or directory)"
    assert [answer.reason for answer in answers] == [remedy, remedy]


def test_what_the_kernel_will_not_have_is_refused_in_its_words(ipvs: KernelIpvs) -> None:
    """Thresholds the wrong way round, and a multicast real server, are refused; the rest is done."""
    filled(ipvs, Table({WEB: VirtualService()}))
    answers = ipvs.apply(
        [
            AddDestination(WEB, FIRST, Destination(upper=5, lower=6)),
            AddDestination(WEB, Endpoint("224.0.0.1", 80), Destination()),
            AddDestination(WEB, FIRST, Destination()),
        ]
    )
    assert [answer.reason for answer in answers] == [
        "a weight or threshold is out of range, or the lower threshold above the upper (Numerical result out of range)",
        "Invalid argument",
    ]
    assert ipvs.read() == Table({WEB: VirtualService(ServiceOptions(), {FIRST: Destination()})})


@pytest.mark.parametrize(
    "call", ["read()", "keys()", "counts().send(None)", "apply([DeleteService(ServiceKey.marked(1))])"]
)
def test_without_the_capability_it_says_so(call: str) -> None:
    """Without CAP_NET_ADMIN the message names the capability and the ways to get it."""
    program = (
        "from healthd.edits import DeleteService; from healthd.ipvs import IpvsUnavailable\n"
        "from healthd.ipvs.kernel import KernelIpvs; from healthd.model import ServiceKey\n"
        f"try: KernelIpvs().{call}\n"
        "except IpvsUnavailable as error: print(error.permission, error)"
    )
    command = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", sys.executable, "-c", program]
    answer = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=60
    )
    assert answer.stdout == f"True {NOT_PERMITTED}\n"
