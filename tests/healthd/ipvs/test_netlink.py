"""The transport, against the one generic netlink family that every kernel has: the controller."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator

import pytest

from healthd.ipvs import messages, netlink
from healthd.ipvs.netlink import Interrupted, Netlink, Refused

CONTROLLER = 16
UNKNOWN_COMMAND = bytes([200, 1, 0, 0])
LIST_FAMILIES = bytes([3, 1, 0, 0])


@pytest.fixture
def link() -> Iterator[Netlink]:
    link = Netlink()
    yield link
    link.close()


def test_a_question_has_its_answer(link: Netlink) -> None:
    """A family's number is found by its name."""
    assert messages.family_number(link.ask(*messages.find_family("nlctrl"))) == CONTROLLER


def test_a_refusal_says_why(link: Netlink) -> None:
    """An error is raised with the kernel's number."""
    with pytest.raises(Refused) as caught:
        link.ask(*messages.find_family("nosuch"))
    assert caught.value.errno == errno.ENOENT


def test_the_kernels_own_words_are_told(link: Netlink) -> None:
    """Where the kernel explains an error in words (an extended acknowledgement), these are its text."""
    with pytest.raises(Refused, match="ttribute"):
        link.ask(*messages.find_family("a name longer than sixteen bytes"))


def test_each_of_many_has_its_own_answer(link: Netlink) -> None:
    """Questions that go out together, in several sends, are answered one by one and in order."""
    family = messages.find_family("nlctrl")[1]
    answers = link.tell(CONTROLLER, [UNKNOWN_COMMAND if n % 3 else family for n in range(200)])
    assert [answer is not None for answer in answers] == [bool(n % 3) for n in range(200)]
    assert {answer.errno for answer in answers if answer} == {errno.EOPNOTSUPP}


def test_a_listing_is_read_to_its_end(link: Netlink) -> None:
    """A dump gives every message of it, and the socket is ready for the next question."""
    families = {messages.family_number(message) for message in link.dump(CONTROLLER, LIST_FAMILIES)}
    assert CONTROLLER in families
    assert messages.family_number(link.ask(*messages.find_family("nlctrl"))) == CONTROLLER


def test_a_refused_listing_is_raised(link: Netlink) -> None:
    """A dump that the kernel does not know is a refusal, not an empty listing."""
    with pytest.raises(Refused):
        link.dump(CONTROLLER, UNKNOWN_COMMAND)


def test_answers_to_earlier_questions_are_passed_over(link: Netlink) -> None:
    """What an abandoned question left in the socket is not taken for the answer to the next one."""
    link._send([(CONTROLLER, netlink._F_REQUEST | netlink._F_ACK, UNKNOWN_COMMAND)])
    assert messages.family_number(link.ask(*messages.find_family("nlctrl"))) == CONTROLLER


def test_a_kernel_that_says_nothing_is_given_up(link: Netlink) -> None:
    """Waiting ends at the socket's deadline with a TimeoutError."""
    link._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 50_000))
    with pytest.raises(TimeoutError):
        next(link._receive())


def test_a_listing_that_keeps_changing_is_given_up(link: Netlink, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dump marked inconsistent is read again, a few times, and its parts are never used."""
    receive, tries = link._receive, []

    def interrupted() -> Iterator[tuple[int, int, int, bytes]]:
        tries.append(1)
        for kind, flags, number, message in receive():
            yield kind, flags | netlink._F_DUMP_INTR, number, message

    monkeypatch.setattr(link, "_receive", interrupted)
    with pytest.raises(Interrupted):
        link.dump(CONTROLLER, LIST_FAMILIES)
    assert len(tries) == netlink._DUMP_TRIES
