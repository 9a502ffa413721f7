"""healthd's codec against pyroute2's, both ways."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from healthd.edits import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    EditDestination,
    EditService,
)
from healthd.ipvs import messages
from healthd.model import Connections, Destination, Endpoint, Forward, Protocol, ServiceKey, ServiceOptions, Table
from tests.support import pyroute2_ipvs as judge
from tests.support.tables import tables

COUNTERS = [(f"IPVS_DEST_ATTR_{name}_CONNS", number) for number, name in enumerate(("ACTIVE", "INACT", "PERSIST"), 7)]
STATISTICS = [("IPVS_DEST_ATTR_STATS", bytes(100)), ("IPVS_DEST_ATTR_STATS64", bytes(124))]
TUNNEL = [("IPVS_DEST_ATTR_TUN_TYPE", 0), ("IPVS_DEST_ATTR_TUN_PORT", 0), ("IPVS_DEST_ATTR_TUN_FLAGS", 0)]


@given(tables())
def test_every_edit_says_to_pyroute2_what_was_meant(table: Table) -> None:
    """Command, key and record of each of the six edits; a deletion carries the key alone."""
    for key, service in table.services.items():
        name = dict(judge.service_key(key))
        full = name | dict(judge.service_options(service.options, key.family))
        for command, edit in ((1, AddService(key, service.options)), (2, EditService(key, service.options))):
            assert judge.decoded(messages.edit(edit)) == {"command": command, "IPVS_CMD_ATTR_SERVICE": full}
        assert judge.decoded(messages.edit(DeleteService(key))) == {"command": 3, "IPVS_CMD_ATTR_SERVICE": name}
        for endpoint, server in service.destinations.items():
            record = dict(judge.destination(endpoint, server))
            its_key = {each: record[each] for each in list(record)[:3]}
            for command, change, wanted in (
                (5, AddDestination(key, endpoint, server), record),
                (6, EditDestination(key, endpoint, server), record),
                (7, DeleteDestination(key, endpoint), its_key),
            ):
                said = judge.decoded(messages.edit(change))
                assert said == {"command": command, "IPVS_CMD_ATTR_SERVICE": name, "IPVS_CMD_ATTR_DEST": wanted}


@given(tables())
def test_what_pyroute2_says_is_understood(table: Table) -> None:
    """Listings, with the counters and statistics that a kernel puts in between."""
    for key, service in table.services.items():
        attributes = judge.service_key(key) + judge.service_options(service.options, key.family)
        message = judge.encoded(1, [("IPVS_CMD_ATTR_SERVICE", {"attrs": attributes})])
        assert messages.service_of(message) == (key, service.options)
        for endpoint, server in service.destinations.items():
            address, port, family, method, *rest = judge.destination(endpoint, server)
            rest = [each for each in rest if each[0] != "IPVS_DEST_ATTR_TUN_TYPE"]
            attributes = [address, port, method, *TUNNEL, *rest, *COUNTERS, family, *STATISTICS]
            message = judge.encoded(5, [("IPVS_CMD_ATTR_DEST", {"attrs": attributes})])
            assert messages.destination_of(message, key.family) == (endpoint, server)
            assert messages.connections_of(message, key.family) == (endpoint, Connections(7, 8, 9))


def test_a_server_without_a_family_has_that_of_its_service() -> None:
    """Kernels before 3.18 do not tell it."""
    endpoint, server = Endpoint("2001:db8::1", 80), Destination(Forward.GATE, 3)
    attributes = [each for each in judge.destination(endpoint, server) if each[0] != "IPVS_DEST_ATTR_ADDR_FAMILY"]
    message = judge.encoded(5, [("IPVS_CMD_ATTR_DEST", {"attrs": attributes})])
    assert messages.destination_of(message, endpoint.family) == (endpoint, server)


@given(
    st.ip_addresses(v=6)
    | st.integers(0, 2**33).map(ipaddress.IPv6Address)  # with zeros in front
    | st.integers(0xFFFF << 32, 0x1FFFF << 32).map(ipaddress.IPv6Address)  # IPv4-mapped ones and their neighbours
    | st.lists(st.sampled_from([0, 0, 1, 0xDB8]), min_size=8, max_size=8).map(
        lambda words: ipaddress.IPv6Address(b"".join(word.to_bytes(2, "big") for word in words))
    )
)
def test_an_address_is_spelled_as_in_the_configuration(address: ipaddress.IPv6Address) -> None:
    """There is one spelling, or a service would be taken for another."""
    key = ServiceKey.at(Protocol.TCP, Endpoint(str(address), 80))
    message = judge.encoded(1, [("IPVS_CMD_ATTR_SERVICE", {"attrs": _listed(key)})])
    found = messages.service_of(message)
    assert found is not None
    assert found[0] == key


def _listed(key: ServiceKey) -> judge.Attributes:
    return judge.service_key(key) + judge.service_options(ServiceOptions(), key.family)
