import socket

import pytest

from healthd.model import (
    Destination,
    Endpoint,
    Forward,
    Protocol,
    ServiceKey,
    ServiceOptions,
    Table,
    Threshold,
    VirtualService,
)

WEB = ServiceKey.at(Protocol.TCP, Endpoint("192.168.7.110", 80))
REAL = Endpoint("192.168.7.11", 80)

KEYS = [
    (WEB, "-t 192.168.7.110:80", "192.168.7.110:80/tcp"),
    (ServiceKey.at(Protocol.UDP, Endpoint("192.168.7.110", 53)), "-u 192.168.7.110:53", "192.168.7.110:53/udp"),
    (
        ServiceKey.at(Protocol.SCTP, Endpoint("192.168.7.110", 9)),
        "--sctp-service 192.168.7.110:9",
        "192.168.7.110:9/sctp",
    ),
    (ServiceKey.at(Protocol.TCP, Endpoint("2001:db8::10", 80)), "-t [2001:db8::10]:80", "[2001:db8::10]:80/tcp"),
    (ServiceKey.at(Protocol.TCP, Endpoint("192.168.7.110", 0)), "-t 192.168.7.110:0", "192.168.7.110:0/tcp"),
    (ServiceKey.marked(10), "-f 10", "fwmark 10"),
    (ServiceKey.marked(10, socket.AF_INET6), "-f 10 -6", "fwmark 10 IPv6"),
]

OPTIONS = [
    (ServiceOptions(), socket.AF_INET, "-s wlc"),
    (ServiceOptions("rr", persistent=300), socket.AF_INET, "-s rr -p 300"),
    (ServiceOptions("rr", persistent=300, prefix=24), socket.AF_INET, "-s rr -p 300 -M 255.255.255.0"),
    (ServiceOptions("rr", persistent=300, prefix=64), socket.AF_INET6, "-s rr -p 300 -M 64"),
    (ServiceOptions("rr", prefix=24), socket.AF_INET, "-s rr"),
    (ServiceOptions("rr", one_packet=True), socket.AF_INET, "-s rr -o"),
    (ServiceOptions("sh", frozenset({2, 1})), socket.AF_INET, "-s sh -b sh-fallback,sh-port"),
    (ServiceOptions("mh", frozenset({1})), socket.AF_INET, "-s mh -b mh-fallback"),
    (ServiceOptions("sh", frozenset({3})), socket.AF_INET, "-s sh -b flag-3"),
    (ServiceOptions("wrr", frozenset({1, 2, 3})), socket.AF_INET, "-s wrr -b flag-1,flag-2,flag-3"),
]

DESTINATIONS = [
    (Destination(), "-m -w 1"),
    (Destination(Forward.GATE, 0), "-g -w 0"),
    (Destination(Forward.IPIP, 65535), "-i -w 65535 --tun-type ipip"),
    (Destination(Forward.MASQ, 2, upper=100), "-m -w 2 -x 100"),
    (Destination(Forward.MASQ, 2, upper=100, lower=50), "-m -w 2 -x 100 -y 50"),
]


@pytest.mark.parametrize(("key", "arguments", "label"), KEYS)
def test_a_key_reads_like_ipvsadm_and_has_a_label_for_people(key: ServiceKey, arguments: str, label: str) -> None:
    """The text of a key is what ipvsadm takes; its label is for people."""
    assert (str(key), key.label) == (arguments, label)


@pytest.mark.parametrize(("options", "family", "arguments"), OPTIONS)
def test_options_read_like_ipvsadm(options: ServiceOptions, family: int, arguments: str) -> None:
    """A service's options are printed as ipvsadm prints them; a netmask only with persistence."""
    assert options.arguments(family) == arguments


@pytest.mark.parametrize(("destination", "arguments"), DESTINATIONS)
def test_a_destination_reads_like_ipvsadm(destination: Destination, arguments: str) -> None:
    """A real server's options are printed as ipvsadm prints them, thresholds added where there are any."""
    assert destination.arguments() == arguments


def test_a_table_is_printed_like_ipvsadm_sn() -> None:
    """The repr of a table is the output of `ipvsadm -Sn`, in one order however it was put together."""
    table = Table(
        {
            WEB: VirtualService(
                ServiceOptions("wrr"),
                {Endpoint("192.168.7.12", 8080): Destination(Forward.GATE, 3), REAL: Destination(Forward.MASQ, 0)},
            ),
            ServiceKey.marked(10): VirtualService(ServiceOptions("rr", persistent=60)),
            ServiceKey.at(Protocol.TCP, Endpoint("2001:db8::10", 80)): VirtualService(
                ServiceOptions("lc"), {Endpoint("2001:db8::11", 80): Destination(Forward.IPIP)}
            ),
        }
    )
    assert repr(table) == (
        "-A -f 10 -s rr -p 60\n"
        "-A -t 192.168.7.110:80 -s wrr\n"
        "-a -t 192.168.7.110:80 -r 192.168.7.11:80 -m -w 0\n"
        "-a -t 192.168.7.110:80 -r 192.168.7.12:8080 -g -w 3\n"
        "-A -t [2001:db8::10]:80 -s lc\n"
        "-a -t [2001:db8::10]:80 -r [2001:db8::11]:80 -i -w 1 --tun-type ipip"
    )
    assert repr(Table()) == ""


def test_only_keeps_the_services_that_are_named() -> None:
    """`only` gives the part of a table that has these keys, and minds no key that is not there."""
    marked = ServiceKey.marked(10)
    table = Table({WEB: VirtualService(), marked: VirtualService()})
    assert table.only(frozenset({WEB, ServiceKey.marked(11)})) == Table({WEB: VirtualService()})


def test_protocols_have_the_numbers_of_the_ip_header() -> None:
    """Numbers are IANA's: TCP 6, UDP 17, SCTP 132."""
    assert [protocol.number for protocol in Protocol] == [6, 17, 132]


def test_the_family_follows_from_the_address() -> None:
    """An endpoint and the key made of it know their family."""
    assert Endpoint("2001:db8::10", 80).family == ServiceKey.at(Protocol.TCP, Endpoint("::1", 1)).family
    assert REAL.family == WEB.family == socket.AF_INET


def test_a_threshold_is_written_as_in_the_configuration() -> None:
    """In a row it is one number; otherwise count and window."""
    assert (str(Threshold(3, 3)), str(Threshold(3, 5))) == ("3", "3/5")
