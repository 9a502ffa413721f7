"""The messages of LDAP. The literals are what OpenLDAP's ldapsearch and slapd send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers import ldap_wire
from checkers.ldap_wire import LONGEST, Entry, Message, NotLdapError, Result


def element(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content


def response(number: int, tag: int, content: bytes) -> bytes:
    return element(0x30, element(2, bytes([number])) + element(tag, content))


DONE = element(10, b"\0") + element(4, b"") + element(4, b"")


def test_requests() -> None:
    """Anonymous bind, StartTLS, a search for one entry's mail, unbind."""
    assert ldap_wire.bind(1, "", b"").hex() == "300c020101600702010304008000"
    assert ldap_wire.bind(2, "cn=x", b"pw").hex() == "3012020102600d0201030404636e3d7880027077"
    assert ldap_wire.start_tls(1) == b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
    body = "0404646d3d78 0a0100 0a0100 020100 020100 010100 870b6f626a656374436c617373 3006 0404 6d61696c"
    assert ldap_wire.base_search(3, "dm=x", "mail").hex() == "302f020103632a" + body.replace(" ", "")
    assert ldap_wire.unbind(4) == b"\x30\x05\x02\x01\x04\x42\0"


def test_a_long_name_has_a_long_length() -> None:
    """Of four octets, which BER allows."""
    message = ldap_wire.bind(1, "x" * 200, b"")
    found = ldap_wire.first_message(message)
    assert found is not None
    assert found[1] == len(message)


def test_a_message_is_seen_when_it_is_whole() -> None:
    """However it is cut; its length says where the next one begins."""
    data = response(5, 0x61, DONE)
    assert [ldap_wire.first_message(data[:end]) for end in range(len(data))] == [None] * len(data)
    assert ldap_wire.first_message(data + b"more") == (Message(5, 0x61, DONE), len(data))
    assert ldap_wire.result(DONE) == Result(0, "")


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400",
        b"\x30\x80\x02\x01\x01",
        b"\x30\x85\1\1\1\1\1",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x83" + (LONGEST + 1).to_bytes(3, "big"),
        b"\x30\x00",
        b"\x30\x03\x02\x01\x01",
        b"\x30\x05\x02\x01\x01\x61\x7f",
        b"\x30\x06\x04\x01\x01\x61\x01\x00",
        b"\x30\x04\x02\x05\x01\x61",
        b"\x30\x06\x02\x01\x01\x7f\x01\x00",
    ],
)
def test_what_is_none(data: bytes) -> None:
    """Indefinite, enormous and contradicting lengths, wrong tags, and what is something else."""
    with pytest.raises(NotLdapError):
        ldap_wire.first_message(data)


def test_an_entry() -> None:
    """Its name and the values of its attributes."""
    values = element(0x31, element(4, b"a") + element(4, b"b"))
    attributes = element(0x30, element(0x30, element(4, b"Mail") + values))
    assert ldap_wire.entry(element(4, b"cn=x") + attributes) == Entry("cn=x", {"mail": [b"a", b"b"]})
    for broken in (b"", element(4, b"cn=x"), element(4, b"cn=x") + element(0x30, element(0x30, element(4, b"Mail")))):
        with pytest.raises(NotLdapError):
            ldap_wire.entry(broken)


def test_a_result() -> None:
    """What it is called, where it is known."""
    body = element(10, b"\x31") + element(4, b"") + element(4, b"no") + element(0x8B, b"more")
    assert ldap_wire.result(body) == Result(49, "no")
    assert Result(49, "no").name == "49 invalidCredentials"
    assert Result(4711, "").name == "4711"


BEGINNINGS = [b"", b"\x30", b"\x30\x20\x02\x01\x01\x64", b"\x04\x01x\x30", b"\x0a\x01\x00\x04\x00\x04"]


@given(st.binary(max_size=200), st.sampled_from(BEGINNINGS))
def test_anything_is_read(data: bytes, beginning: bytes) -> None:
    """No exception but the one that is said."""
    for parse in (ldap_wire.first_message, ldap_wire.result, ldap_wire.entry):
        try:
            parse(beginning + data)
        except NotLdapError:
            continue
