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
    families = {messages.family_number(message) for part in link.dump(CONTROLLER, LIST_FAMILIES) for message in part}
    assert CONTROLLER in families
    assert messages.family_number(link.ask(*messages.find_family("nlctrl"))) == CONTROLLER


def test_an_abandoned_listing_leaves_the_socket_ready(link: Netlink) -> None:
    """Wherever it is left, the next listing is whole; the kernel would refuse it while the first is unread."""

    def families(listing: Iterator[list[bytes]]) -> set[int]:
        return {messages.family_number(message) for part in listing for message in part}

    whole = families(link.dump(CONTROLLER, LIST_FAMILIES))
    for parts in range(sum(1 for _ in link.dump(CONTROLLER, LIST_FAMILIES)) + 1):
        listing = link.dump(CONTROLLER, LIST_FAMILIES)
        for _ in range(parts):
            next(listing)
        listing.close()
        assert families(link.dump(CONTROLLER, LIST_FAMILIES)) == whole


def test_a_refused_listing_is_raised(link: Netlink) -> None:
    """A dump that the kernel does not know is a refusal, not an empty listing."""
    with pytest.raises(Refused):
        list(link.dump(CONTROLLER, UNKNOWN_COMMAND))


def test_answers_to_earlier_questions_are_passed_over(link: Netlink) -> None:
    """What an abandoned question left in the socket is not taken for the answer to the next one."""
    link._send([(CONTROLLER, netlink._F_REQUEST | netlink._F_ACK, UNKNOWN_COMMAND)])
    assert messages.family_number(link.ask(*messages.find_family("nlctrl"))) == CONTROLLER


def test_a_kernel_that_says_nothing_is_given_up(link: Netlink) -> None:
    """Waiting ends at the socket's deadline with a TimeoutError."""
    link._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 50_000))
    with pytest.raises(TimeoutError):
        link._datagram()


def test_a_listing_that_changed_meanwhile_says_so_at_its_end(link: Netlink, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dump marked inconsistent is not passed off as one, and the socket is ready for the next question."""
    datagram = link._datagram
    marked = lambda: (message._replace(flags=message.flags | netlink._F_DUMP_INTR) for message in datagram())  # noqa: E731
    with monkeypatch.context() as patched:
        patched.setattr(link, "_datagram", marked)
        with pytest.raises(Interrupted):
            list(link.dump(CONTROLLER, LIST_FAMILIES))
    assert messages.family_number(link.ask(*messages.find_family("nlctrl"))) == CONTROLLER


def test_refusals_of_a_whole_batch_fit_into_the_buffer(link: Netlink) -> None:
    """Also when the kernel explains each of them in words."""
    unnamed = messages.find_family("a name longer than sixteen bytes")[1]
    answers = link.tell(CONTROLLER, [unnamed] * 3 * netlink._BATCH)
    assert all(answer and "ttribute" in str(answer) for answer in answers)


def test_answers_that_got_lost_are_told(link: Netlink) -> None:
    """A buffer too small for the refusals is an error at once: what became of the orders is not known."""
    link._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    with pytest.raises(OSError, match="buffer") as caught:
        link.tell(CONTROLLER, [UNKNOWN_COMMAND] * netlink._BATCH)
    assert caught.value.errno == netlink.LOST
