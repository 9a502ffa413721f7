import secrets
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.websocket_frames import FrameError, Incoming, Message, Opcode, accept_of, described_close, encoded

KINDS = st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG, Opcode.CLOSE])


def unmasked(frame: bytes, mask: bytes) -> bytes:
    """The frame as a server writes it: without the mask and the bit that tells of it."""
    at = frame.index(mask)
    data = frame[at + 4 :]
    plain = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
    return frame[:1] + bytes([frame[1] & 0x7F]) + frame[2:at] + plain


def taken(data: bytes, longest: int = 65536) -> list[Message]:
    incoming = Incoming(longest)
    incoming.feed(data)
    messages = []
    while (message := incoming.take()) is not None:
        messages.append(message)
    return messages


def test_the_example_of_the_rfc() -> None:
    """RFC 6455, sections 1.3 and 5.7."""
    assert accept_of(b"dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    masked = bytes.fromhex("818537fa213d7f9f4d5158")
    assert encoded(Opcode.TEXT, b"Hello", bytes.fromhex("37fa213d")) == masked
    assert taken(bytes.fromhex("810548656c6c6f")) == [Message(Opcode.TEXT, b"Hello")]
    assert taken(bytes.fromhex("010348656c80026c6f")) == [Message(Opcode.TEXT, b"Hello")]


@settings(max_examples=200, deadline=None)
@given(opcode=KINDS, length=st.sampled_from([0, 1, 3, 4, 5, 125, 126, 127, 65535, 65536, 70000]), cut=st.integers(0))
def test_what_is_written_can_be_read(opcode: Opcode, length: int, cut: int) -> None:
    """In every form of the length, however the bytes are cut."""
    if opcode >= Opcode.CLOSE:
        length = min(length, 125)
    data = (b"healthd " * 10_000)[:length]
    mask = b"\xfe\xdc\xba\x98"
    frame = unmasked(encoded(opcode, data, mask), mask)
    incoming = Incoming(100_000)
    cut %= len(frame)
    incoming.feed(frame[:cut])
    assert incoming.take() is None
    incoming.feed(frame[cut:])
    assert incoming.take() == (opcode, data)
    assert incoming.take() is None


def test_a_control_frame_may_come_within_a_message() -> None:
    """Section 5.4: it is given first, and the message goes on."""
    data = bytes.fromhex("0101 41 8901 70 8001 42")
    assert taken(data) == [Message(Opcode.PING, b"p"), Message(Opcode.TEXT, b"AB")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("8185", "a masked frame, which only a client may send"),
        ("c100", "reserved bits set"),
        ("8300", "unknown kind 3"),
        ("8b00", "unknown kind 11"),
        ("89 7e 0080", "a ping frame that is too long or not whole"),
        ("0900", "a ping frame that is too long or not whole"),
        ("8000", "a continuation of nothing"),
        ("0100 8100", "a new message within another"),
        ("817e 0005", "a length of 5 written in 2 bytes"),
        ("817f 0000000000000005", "a length of 5 written in 8 bytes"),
        ("817f ffffffffffffffff", "a message of more than 65536 bytes"),
        ("827f 0000000000010001", "a message of more than 65536 bytes"),
        ("8101 ff", "a text that is not UTF-8"),
        ("0100" + "0000" * 1000, "messages in more than 1000 frames"),
        ("0100 8000" * 501, "messages in more than 1000 frames"),
    ],
)
def test_what_a_server_may_not_send(data: str, why: str) -> None:
    """It is refused as soon as its head has come, without waiting for what it announces."""
    with pytest.raises(FrameError, match=why):
        taken(bytes.fromhex(data))


def test_fragments_are_bounded_together() -> None:
    """A message is not longer for coming in many frames."""
    with pytest.raises(FrameError, match="a message of more than 10 bytes"):
        taken(bytes.fromhex("0206 414141414141 0006 424242424242"), longest=10)


def test_the_reason_of_a_close_frame() -> None:
    """A code and a text, either of which may be missing or be no text."""
    assert described_close(b"") == "without a code"
    assert described_close(b"\x03\xe8") == "1000"
    assert described_close(b"\x03\xf3out of order") == '1011 "out of order"'
    assert described_close(b"\x03\xf3\xff\x1b") == r'1011 "\xff\x1b"'


@settings(max_examples=400, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=10))
def test_any_bytes_are_messages_or_a_frame_error(parts: list[bytes]) -> None:
    """No other exception, and nothing is kept beyond what was fed."""
    incoming = Incoming(100)
    with suppress(FrameError):
        for part in parts:
            incoming.feed(part)
            while (message := incoming.take()) is not None:
                assert len(message.data) <= 125


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_the_mask_hides_and_can_be_taken_off(data: bytes) -> None:
    """Section 5.3."""
    mask = secrets.token_bytes(4)
    frame = encoded(Opcode.BINARY, data, mask)
    masked = frame[-len(data) :] if data else b""
    assert bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked)) == data
