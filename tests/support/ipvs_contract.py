"""What holds for every implementation of healthd.ipvs.Ipvs. The memory and the kernel pass the same tests."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import replace
from errno import EEXIST, ENOENT, ESRCH

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from healthd.edits import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Edit,
    EditDestination,
    EditService,
    diff,
)
from healthd.ipvs import Ipvs
from healthd.model import (
    Connections,
    Destination,
    Endpoint,
    Forward,
    Protocol,
    ServiceKey,
    ServiceOptions,
    Table,
    VirtualService,
)
from tests.support.tables import KERNEL_SCHEDULERS, tables

WEB = ServiceKey.at(Protocol.TCP, Endpoint("192.168.7.110", 80))
WEB6 = ServiceKey.at(Protocol.TCP, Endpoint("2001:db8::10", 80))
DNS = ServiceKey.at(Protocol.UDP, Endpoint("192.168.7.110", 53))
SCTP = ServiceKey.at(Protocol.SCTP, Endpoint("192.168.7.110", 9))
MARK = ServiceKey.marked(10)
MARK6 = ServiceKey.marked(10, socket.AF_INET6)
OTHER = ServiceKey.at(Protocol.TCP, Endpoint("192.168.7.111", 8000))
FIRST, SECOND = Endpoint("192.168.7.11", 80), Endpoint("192.168.7.12", 8080)
FIRST6 = Endpoint("2001:db8::11", 80)

FORMS = [
    (WEB, ServiceOptions("wlc"), {FIRST: Destination(Forward.MASQ, 1), SECOND: Destination(Forward.MASQ, 65535)}),
    (WEB, ServiceOptions("wlc"), {FIRST: Destination(Forward.GATE, 2), Endpoint("127.0.0.1", 80): Destination()}),
    (WEB, ServiceOptions("wrr"), {FIRST: Destination(Forward.IPIP, 0), SECOND: Destination(Forward.IPIP, 3)}),
    (WEB, ServiceOptions("lc"), {FIRST: Destination(upper=100), SECOND: Destination(upper=100, lower=50)}),
    (WEB, ServiceOptions("rr", persistent=300), {FIRST: Destination()}),
    (WEB, ServiceOptions("rr", persistent=360, prefix=24), {}),
    (WEB, ServiceOptions("sh", frozenset({1, 2})), {}),
    (WEB, ServiceOptions("mh", frozenset({2, 3}), persistent=60), {}),
    (WEB, ServiceOptions("wrr", frozenset({1, 2, 3})), {}),
    (WEB6, ServiceOptions("wlc"), {FIRST6: Destination(Forward.GATE, 1), FIRST: Destination(Forward.IPIP, 1)}),
    (WEB6, ServiceOptions("wlc", persistent=300, prefix=64), {FIRST6: Destination()}),
    (DNS, ServiceOptions("rr", one_packet=True), {FIRST: Destination()}),
    (SCTP, ServiceOptions("lc"), {FIRST: Destination()}),
    (MARK, ServiceOptions("fo", persistent=10), {Endpoint("10.0.0.9", 0): Destination(Forward.GATE, 1)}),
    (MARK, ServiceOptions("ovf", one_packet=True), {}),
    (MARK6, ServiceOptions("sed", persistent=10, prefix=48), {Endpoint("2001:db8::9", 0): Destination(Forward.GATE)}),
]
IDS = [f"{key} {options.arguments(key.family)}" for key, options, _ in FORMS]


def filled(ipvs: Ipvs, table: Table) -> Table:
    assert ipvs.apply(diff(table, Table())) == []
    return table


def _servers(weights: Iterable[int]) -> dict[Endpoint, Destination]:
    return {
        Endpoint(f"10.1.{number >> 8}.{number & 255}", 80): Destination(weight=weight)
        for number, weight in enumerate(weights, 1)
    }


class IpvsContract:
    """A subclass has a fixture `ipvs`: an empty table."""

    def witnessed(self, table: Table) -> None:
        """Fails unless a witness other than `ipvs` sees this table too, where there is one."""

    def holds(self, ipvs: Ipvs, table: Table) -> None:
        assert ipvs.read() == table
        assert ipvs.keys() == table.services.keys()
        self.witnessed(table)

    def test_a_new_table_is_empty(self, ipvs: Ipvs) -> None:
        """Nothing is in a table that nobody filled."""
        self.holds(ipvs, Table())

    @pytest.mark.parametrize(("key", "options", "servers"), FORMS, ids=IDS)
    def test_every_form_is_kept_as_written(
        self, ipvs: Ipvs, key: ServiceKey, options: ServiceOptions, servers: Mapping[Endpoint, Destination]
    ) -> None:
        """What is written is read back, to the last attribute, and can be taken out again."""
        table = filled(ipvs, Table({key: VirtualService(options, servers)}))
        self.holds(ipvs, table)
        assert ipvs.apply(diff(Table(), table, retired=[key])) == []
        self.holds(ipvs, Table())

    @pytest.mark.parametrize(("key", "options", "servers"), FORMS, ids=IDS)
    def test_without_traffic_nothing_is_counted(
        self, ipvs: Ipvs, key: ServiceKey, options: ServiceOptions, servers: Mapping[Endpoint, Destination]
    ) -> None:
        """Every server of the services that were asked for has its counts, and no other."""
        filled(ipvs, Table({key: VirtualService(options, servers), OTHER: VirtualService()}))
        counted = dict(found for found in ipvs.counts(frozenset({key})) if found)
        assert counted == {key: dict.fromkeys(servers, Connections())}
        assert set(dict(found for found in ipvs.counts() if found)) == {key, OTHER}

    def test_whoever_counts_disturbs_nobody(self, ipvs: Ipvs) -> None:
        """Several countings and a reading, each begun before another has ended, find what each alone would find."""
        table = filled(ipvs, Table({WEB: VirtualService(destinations={FIRST: Destination(), SECOND: Destination()})}))
        counts, others, scan = ipvs.counts(), ipvs.counts(), ipvs.scan()
        first = [next(counts), next(others), next(scan)]
        assert dict(each for each in (first[2], *scan) if each) == table.services
        for begun, rest in ((first[0], counts), (first[1], others)):
            assert dict(each for each in (begun, *rest) if each) == {WEB: {FIRST: Connections(), SECOND: Connections()}}

    def test_every_scheduler_is_taken(self, ipvs: Ipvs) -> None:
        """Each scheduler of the kernel can be set, and changed for the next while servers are in the service."""
        servers = {FIRST: Destination(), SECOND: Destination()}
        filled(ipvs, Table({WEB: VirtualService(ServiceOptions("rr"), servers)}))
        for name in KERNEL_SCHEDULERS:
            assert ipvs.apply([EditService(WEB, ServiceOptions(name))]) == []
            self.holds(ipvs, Table({WEB: VirtualService(ServiceOptions(name), servers)}))

    @pytest.mark.parametrize(("key", "options", "servers"), FORMS, ids=IDS)
    def test_an_edit_of_a_server_leaves_all_else(
        self, ipvs: Ipvs, key: ServiceKey, options: ServiceOptions, servers: Mapping[Endpoint, Destination]
    ) -> None:
        """A server that is quiesced keeps thresholds and forwarding; its service and neighbours keep everything."""
        filled(ipvs, Table({key: VirtualService(options, servers)}))
        for endpoint, server in servers.items():
            quiesced = replace(server, weight=0)
            assert ipvs.apply([EditDestination(key, endpoint, quiesced)]) == []
            self.holds(ipvs, Table({key: VirtualService(options, {**servers, endpoint: quiesced})}))
            assert ipvs.apply([EditDestination(key, endpoint, server)]) == []

    @pytest.mark.parametrize("key", [WEB, WEB6, MARK, MARK6], ids=str)
    def test_every_option_can_be_taken_back(self, ipvs: Ipvs, key: ServiceKey) -> None:
        """Persistence, its netmask, one-packet scheduling and flags go away when an edit leaves them out."""
        one_packet = key.protocol is None
        full = ServiceOptions("mh", frozenset({1, 3}), persistent=300, prefix=24, one_packet=one_packet)
        filled(ipvs, Table({key: VirtualService(full)}))
        for options in (replace(full, prefix=None), replace(full, flags=frozenset()), ServiceOptions("wlc"), full):
            assert ipvs.apply([EditService(key, options)]) == []
            self.holds(ipvs, Table({key: VirtualService(options)}))

    def test_thresholds_can_be_taken_back(self, ipvs: Ipvs) -> None:
        """A server edited to have no thresholds has none."""
        filled(ipvs, Table({WEB: VirtualService(ServiceOptions(), {FIRST: Destination(upper=9, lower=5)})}))
        assert ipvs.apply([EditDestination(WEB, FIRST, Destination(weight=7))]) == []
        self.holds(ipvs, Table({WEB: VirtualService(ServiceOptions(), {FIRST: Destination(weight=7)})}))

    def test_refused_edits_do_not_stop_the_others(self, ipvs: Ipvs) -> None:
        """Each refused edit is told with its reason; those around it are done."""
        options, server = ServiceOptions(), Destination()
        refused: dict[Edit, int] = {
            AddService(WEB, options): EEXIST,
            EditService(DNS, options): ESRCH,
            DeleteService(DNS): ESRCH,
            AddDestination(DNS, FIRST, server): ESRCH,
            AddDestination(WEB, FIRST, server): EEXIST,
            EditDestination(WEB, SECOND, server): ENOENT,
            DeleteDestination(WEB, SECOND): ENOENT,
        }
        last = AddDestination(WEB, Endpoint("192.168.7.13", 80), server)
        answers = ipvs.apply([AddService(WEB, options), AddDestination(WEB, FIRST, server), *refused, last])
        assert [answer.edit for answer in answers] == list(refused)
        for answer in answers:
            assert os.strerror(refused[answer.edit]) in answer.reason
        self.holds(ipvs, Table({WEB: VirtualService(options, {FIRST: server, last.endpoint: server})}))

    def test_only_the_services_asked_for_are_read(self, ipvs: Ipvs) -> None:
        """`read(keys)` has neither the others nor those that do not exist."""
        table = filled(
            ipvs, Table({key: VirtualService(ServiceOptions(), {}) for key in (WEB, WEB6, MARK, MARK6, DNS)})
        )
        keys = frozenset({WEB6, MARK, SCTP})
        assert ipvs.read(keys) == table.only(frozenset({WEB6, MARK}))
        assert ipvs.read(frozenset()) == Table()

    def test_ten_thousand_servers(self, ipvs: Ipvs) -> None:
        """A service of ten thousand servers is written, changed throughout, and read whole."""
        for weights in (range(1, 10_001), range(10_000, 0, -1)):
            wanted = Table({WEB: VirtualService(ServiceOptions(), _servers(weights))})
            assert ipvs.apply(diff(wanted, ipvs.read())) == []
            assert ipvs.read() == wanted
        self.witnessed(wanted)

    def test_refusals_in_bulk_are_told_apart(self, ipvs: Ipvs) -> None:
        """Of a thousand edits exactly those are refused that cannot be done, wherever they stand, in order."""
        servers = _servers([1] * 1000)
        there = {end: server for number, (end, server) in enumerate(servers.items()) if number % 3 == 0}
        filled(ipvs, Table({WEB: VirtualService(ServiceOptions(), there)}))
        adding = [AddDestination(WEB, end, server) for end, server in servers.items()]
        refused = ipvs.apply(adding)
        assert [answer.edit for answer in refused] == [edit for edit in adding if edit.endpoint in there]
        assert all(os.strerror(EEXIST) in answer.reason for answer in refused)
        self.holds(ipvs, Table({WEB: VirtualService(ServiceOptions(), servers)}))

    def test_reading_in_slices_is_reading(self, ipvs: Ipvs) -> None:
        """`scan` gives what `read` gives, and can be abandoned on the way without harm."""
        servers = _servers(range(1, 1001))
        table = Table({key: VirtualService(ServiceOptions(), servers) for key in (WEB, DNS, MARK)})
        filled(ipvs, table)
        for slices in range(4):
            scan = ipvs.scan()
            for _ in range(slices):
                next(scan)
            assert ipvs.read() == table  # which may come in between
            scan.close()
        assert Table(dict(found for found in ipvs.scan() if found)) == table
        assert [found for found in ipvs.scan(frozenset({DNS})) if found] == [(DNS, table.services[DNS])]
        self.holds(ipvs, table)

    async def test_it_answers_inside_an_event_loop(self, ipvs: Ipvs) -> None:
        """Reading and editing need no loop of their own, so the daemon's loop may be running."""
        table = filled(ipvs, Table({WEB: VirtualService(ServiceOptions(), {FIRST: Destination()})}))
        self.holds(ipvs, table)

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],  # making a failure small would take minutes in a User-Mode Linux
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(before=tables(), after=tables())
    def test_any_table_becomes_any_other(self, ipvs: Ipvs, before: Table, after: Table) -> None:
        """Whatever is in the table, the edits of `diff` make the wanted one of it, and none is refused."""
        assert ipvs.apply(diff(Table(), ipvs.read(), retired=ipvs.keys())) == []
        self.holds(ipvs, filled(ipvs, before))
        assert ipvs.apply(diff(after, ipvs.read(), retired=before.services)) == []
        self.holds(ipvs, after)
