from contextlib import suppress

import pytest
from grpc_health.v1 import health_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.grpc_health import MessageError, described_status, name_of_serving, request, serving_status


def framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300).filter(lambda text: text.isprintable()))
def test_a_request_is_that_of_protocol_buffers(service: str) -> None:
    """Byte by byte what the official library writes."""
    assert request(service) == framed(health_pb2.HealthCheckRequest(service=service).SerializeToString())


@pytest.mark.parametrize("status", range(4))
def test_a_response_of_protocol_buffers_is_read(status: int) -> None:
    """Every status, by the names of the official library."""
    message = health_pb2.HealthCheckResponse(status=status).SerializeToString()
    assert serving_status(framed(message)) == status
    assert name_of_serving(status) == health_pb2.HealthCheckResponse.ServingStatus.Name(status)


def test_unknown_fields_are_passed_over() -> None:
    """A later version may add some; the last value of a field is the one that counts."""
    unknown = b"\x12\x03abc" + b"\x19" + bytes(8) + b"\x25" + bytes(4) + b"\x28\xff\x01"
    assert serving_status(framed(unknown + b"\x08\x02" + b"\x08\x01")) == 1


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no message, only 0 bytes"),
        (b"\x01\0\0\0\x02\x08\x01", "a message that is compressed"),
        (b"\0\xff\xff\xff\xff\x08\x01", "a message of 4294967295 bytes in 2"),
        (framed(b"\x08"), "a number that does not end"),
        (framed(b"\x08" + b"\xff" * 11), "a number that does not end"),
        (framed(b"\x12\xff\xff\xff\xff\x0f"), "a message that is cut short"),
        (framed(b"\x19\0"), "a message that is cut short"),
        (framed(b"\x0b"), "a field of the unknown type 3"),
        (framed(b"\0\0"), "no message"),
    ],
)
def test_what_is_no_response(body: bytes, why: str) -> None:
    """The text says what is wrong with it; nothing is allotted for what it announces."""
    with pytest.raises(MessageError, match=why):
        serving_status(body)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=60) | st.binary(max_size=60).map(framed))
def test_any_bytes_are_a_status_or_a_message_error(body: bytes) -> None:
    """No other exception, and no negative number."""
    with suppress(MessageError):
        assert serving_status(body) >= 0


def test_a_status_is_shown_with_its_name() -> None:
    """A number that is none, or of no status, is shown as it is."""
    assert described_status("5", "unknown%20service") == '5 NOT_FOUND "unknown service"'
    assert described_status("16", "") == "16 UNAUTHENTICATED"
    assert described_status("17", "") == "17"
    assert described_status("9" * 50, "") == "9" * 20 + '"...'
    assert described_status("\u00b2\n", "%0a%zz") == '\u00b2\\n "\\n%zz"'
