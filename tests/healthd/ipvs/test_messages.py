from __future__ import annotations

import struct

from hypothesis import given

from healthd.edits import AddDestination, AddService
from healthd.ipvs import messages
from healthd.model import Destination, Endpoint, Forward, Protocol, ServiceKey, ServiceOptions, Table
from tests.support.tables import tables

WEB6 = ServiceKey.at(Protocol.TCP, Endpoint("2001:db8::10", 80))


def received(body: bytes) -> bytes:
    """As the kernel would send it: with a netlink header."""
    return struct.pack("=IHHII", 16 + len(body), 20, 0, 1, 0) + body


@given(tables())
def test_a_listing_says_what_an_edit_said(table: Table) -> None:
    """Every record is read as it was written: edits and listings have the same form."""
    for key, service in table.services.items():
        assert messages.service_of(received(messages.edit(AddService(key, service.options)))) == (key, service.options)
        for endpoint, server in service.destinations.items():
            body = messages.edit(AddDestination(key, endpoint, server))
            assert messages.destination_of(received(body), key.family) == (endpoint, server)


def test_the_bytes_are_those_the_kernel_defines() -> None:
    """An edit, byte by byte, as include/uapi/linux/ip_vs.h has it: the prefix and the flags as native numbers."""
    options = ServiceOptions("rr", frozenset({1}), persistent=300, prefix=64)
    attributes = [
        (1, struct.pack("=H", 10)),
        (2, struct.pack("=H", 6)),
        (3, bytes.fromhex("20010db8000000000000000000000010")),
        (4, struct.pack("!H", 80)),
        (6, b"rr\0"),
        (7, struct.pack("=II", 0x9, 0xFFFFFFFF)),
        (8, struct.pack("=I", 300)),
        (9, struct.pack("=I", 64)),
    ]
    service = b"".join(attribute(kind, value) for kind, value in attributes)
    assert messages.edit(AddService(WEB6, options)) == bytes([1, 1, 0, 0]) + attribute(1, service)


def test_a_tunnel_to_the_other_family_says_its_own() -> None:
    """An IPv4 real server behind an IPv6 service carries its own family, and the kind of tunnel."""
    body = messages.edit(AddDestination(WEB6, Endpoint("10.0.0.1", 80), Destination(Forward.IPIP, 3)))
    assert attribute(11, struct.pack("=H", 2)) in body
    assert attribute(13, b"\0") in body


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
