"""The messages of LDAP. The literals are what OpenLDAP's ldapsearch and slapd send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers import ldap_answer, ldap_wire
from checkers.ldap_answer import MOST_VALUES, NotLdapError, TooManyError
from checkers.ldap_wire import LONGEST, Entry, Message, Result


def element(tag: int, content: bytes) -> bytes:
    size = len(content)
    return bytes([tag, size] if size < 128 else [tag, 0x84, *size.to_bytes(4, "big")]) + content


def response(number: int, tag: int, content: bytes) -> bytes:
    return element(0x30, element(2, bytes([number])) + element(tag, content))


def entry(dn: bytes, *attributes: bytes) -> bytes:
    return element(4, dn) + element(0x30, b"".join(attributes))


def attribute(name: bytes, *values: bytes) -> bytes:
    return element(0x30, element(4, name) + element(0x31, b"".join(element(4, value) for value in values)))


DONE = element(10, b"\0") + element(4, b"") + element(4, b"")


def test_requests() -> None:
    """Anonymous bind, StartTLS, a search for one entry's mail, unbind."""
    assert ldap_wire.bind(1, "", b"").hex() == "300c020101600702010304008000"
    assert ldap_wire.bind(2, "cn=x", b"pw").hex() == "3012020102600d0201030404636e3d7880027077"
    assert ldap_wire.start_tls(1) == b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
    body = "0404646d3d78 0a0100 0a0100 020100 020100 010100 870b6f626a656374436c617373 3006 0404 6d61696c"
    assert ldap_wire.base_search(3, "dm=x", "mail").hex() == "302f020103632a" + body.replace(" ", "")
    assert ldap_wire.unbind(4) == b"\x30\x05\x02\x01\x04\x42\0"


def test_names_and_passwords_of_any_letters() -> None:
    """A name is UTF-8, a password whatever bytes it is."""
    assert "cn=Müller".encode() in ldap_wire.bind(1, "cn=Müller", b"\xff\x00")
    assert b"\xff\x00" in ldap_wire.bind(1, "cn=Müller", b"\xff\x00")
    assert "ou=Zürich".encode() in ldap_wire.base_search(1, "ou=Zürich", "o")


def test_a_message_is_seen_when_it_is_whole() -> None:
    """However it is cut; its length says where the next one begins."""
    data = response(5, 0x61, DONE)
    assert [ldap_wire.first_message(data[:end]) for end in range(len(data))] == [None] * len(data)
    whole = (Message(5, ldap_answer.BIND_RESPONSE, Result(0, "")), len(data))
    assert ldap_wire.first_message(data + b"more") == whole


def test_controls_are_passed_over() -> None:
    """They say more of an answer, to those who asked for it."""
    control = element(0x30, element(4, b"1.2.3") + element(4, b"?"))
    data = element(0x30, element(2, b"\5") + element(0x65, DONE) + element(0xA0, control))
    assert ldap_wire.first_message(data) == (Message(5, ldap_answer.SEARCH_DONE, Result(0, "")), len(data))


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
        response(1, 0x61, b""),
        response(1, 0x61, DONE[:-1]),
        response(1, 0x63, DONE),
        response(1, 0x64, entry(b"cn=x", element(0x30, element(4, b"Mail")))),
        response(1, 0x64, element(4, b"cn=x")),
        response(1, 0x64, b"\x24\x80" * 1000),
        response(1, 0x61, element(10, b"\x7f" * 5) + element(4, b"") + element(4, b"")),
        response(1, 0x61, element(10, b"\xff") + element(4, b"") + element(4, b"")),
        response(3, 0x73, b"\x04\x88" + b"\xc0" * 8),
    ],
)
def test_what_is_none(data: bytes) -> None:
    """Indefinite, enormous and contradicting lengths, wrong tags, requests, and what is something else."""
    with pytest.raises(NotLdapError):
        ldap_wire.first_message(data)


def test_an_entry() -> None:
    """Its name and the values of its attributes, which may be of any bytes."""
    data = response(2, 0x64, entry(b"cn=\xff", attribute(b"Mail", b"a", b"\xff"), attribute(b"o")))
    found = Entry("cn=\\xff", {"mail": [b"a", b"\xff"], "o": []})
    assert ldap_wire.first_message(data) == (Message(2, ldap_answer.ENTRY, entry=found), len(data))


def test_a_message_of_many_values() -> None:
    """So many are read, and no more, however small they are: each costs more than its bytes."""
    around = 9  # the message, its number and operation, the entry's name, its list, an attribute, its name and values
    most = attribute(b"member", *[b""] * (MOST_VALUES - around))
    assert ldap_wire.first_message(response(2, 0x64, entry(b"cn=x", most))) is not None
    with pytest.raises(TooManyError):
        ldap_wire.first_message(response(2, 0x64, entry(b"cn=x", attribute(b"member", *[b""] * MOST_VALUES))))
    with pytest.raises(TooManyError):
        ldap_wire.first_message(response(2, 0x64, entry(b"cn=x", *[attribute(b"")] * 40_000)))


def test_a_long_name() -> None:
    """What nobody compares or shows of it is not looked at."""
    found = ldap_wire.first_message(response(1, 0x64, entry(b"\xff" * 200_000)))
    assert found is not None
    assert found[0].entry is not None
    assert len(found[0].entry.dn) == 4 * 8192


def test_long_types() -> None:
    """There may be many of them, so of each no more is looked at than any has."""
    types = [b"\xff" * 3000 + b"%d" % number for number in range(60)]
    found = ldap_wire.first_message(response(1, 0x64, entry(b"cn=x", *map(attribute, types))))
    assert found is not None
    assert found[0].entry is not None
    assert [len(name) for name in found[0].entry.attributes] == [4 * 200]


@pytest.mark.parametrize("octets", [5, 2000, 200_000])
def test_a_number_that_is_too_large(octets: int) -> None:
    """Of the message or of the result: it is no LDAP, and no crash of the library's either."""
    number = b"\x7f" * octets
    for data in (element(0x30, element(2, number) + element(0x65, DONE)), response(2, 0x65, element(10, number))):
        with pytest.raises(NotLdapError):
            ldap_wire.first_message(data)


def test_a_result() -> None:
    """What it is called, where it is known."""
    body = element(10, b"\x31") + element(4, b"") + element(4, b"no") + element(0x8B, b"more")
    found = ldap_wire.first_message(response(1, 0x78, body))
    assert found is not None
    assert found[0].result == Result(49, "no")
    assert Result(49, "no").name == "49 invalidCredentials"
    assert Result(4711, "").name == "4711"


MESSAGES = [
    response(1, 0x61, DONE),
    response(2, 0x64, entry(b"cn=x", attribute(b"mail", b"a", b"b"))),
    response(3, 0x73, element(4, b"ldap://x")),
    response(0, 0x78, DONE + element(0x8A, b"1.3")),
]


@given(st.sampled_from(MESSAGES), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=4))
def test_anything_is_read(message: bytes, changes: list[tuple[int, int]]) -> None:
    """No exception but the one that is said."""
    data = bytearray(message)
    for place, byte in changes:
        data[place % len(data)] = byte
    try:
        ldap_wire.first_message(data)
    except NotLdapError:
        return


@given(st.binary(max_size=200).map(lambda data: element(0x30, data)))
def test_any_bytes_are_read(data: bytes) -> None:
    """Likewise, in a message of the right length."""
    try:
        ldap_wire.first_message(data)
    except NotLdapError:
        return
