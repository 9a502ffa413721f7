"""RADIUS: options, and hostile servers. A well-behaved one is in tests/real."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.base import Code, OptionError, Outcome, Target
from checkers.radius import Radius
from checkers.radius_wire import Request
from tests.checkers.asking import ENOUGH, ask, ask_once, in_engine
from tests.checkers.datagrams import flood, udp_server, udp_socket

SECRET = b"between the two of us"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "password").write_text("open sesame\n")
    (tmp_path / "secret").write_bytes(SECRET)
    return {"password_file": str(tmp_path / "password"), "secret_file": str(tmp_path / "secret")}


def reply(request: bytes, code: int = 2, attributes: bytes = b"", secret: bytes = SECRET) -> bytes:
    """Signed as RFC 2865, section 3, says."""
    head = struct.pack("!BBH", code, request[1], 20 + len(attributes))
    return head + hashlib.md5(head + request[4:20] + attributes + secret).digest() + attributes


def with_message_authenticator(request: bytes, secret: bytes) -> bytes:
    """Signed by the Response Authenticator, and by `secret` as RFC 2869, section 5.14, says."""
    head = struct.pack("!BBH", 2, request[1], 38)
    digest = hmac.new(secret, head + request[4:20] + b"\x50\x12" + bytes(16), "md5").digest()
    return reply(request, attributes=b"\x50\x12" + digest)


async def asked(files: dict[str, str], answer: Callable[[bytes], list[bytes]], seconds: float = ENOUGH) -> Outcome:
    async with udp_server(answer) as (target, _):
        return await ask(Radius(user="probe", **files), target, seconds)  # type: ignore[arg-type] # names of options


def complaint(**options: Any) -> tuple[str, str]:
    with pytest.raises(OptionError) as error:
        Radius(**options)
    return error.value.option, str(error.value)


def test_options_that_cannot_work(files: dict[str, str], tmp_path: Path) -> None:
    """They are refused by name."""
    said = "must be from 1 to 253 bytes, without control characters"
    assert complaint(user="", **files) == ("user", said)
    assert complaint(user="x" * 254, **files) == ("user", said)
    (tmp_path / "long").write_text("x" * 129)
    long = {**files, "password_file": str(tmp_path / "long")}
    said = "RADIUS takes no password longer than 128 bytes"
    assert complaint(user="probe", **long) == ("password_file", said)


def test_secrets_are_in_no_repr(files: dict[str, str]) -> None:
    """Neither the password nor the one between client and server."""
    shown = repr(Radius(user="probe", **files))  # type: ignore[arg-type] # names of options
    assert "sesame" not in shown
    assert "between" not in shown


def test_the_request_is_signed() -> None:
    """By a Message-Authenticator, first of the attributes, and the password is hidden."""
    data = Request("probe", b"open sesame", SECRET).data
    assert data[0] == 1
    assert len(data) == int.from_bytes(data[2:4], "big")
    assert data[20:22] == b"\x50\x12"
    assert hmac.new(SECRET, data[:22] + bytes(16) + data[38:], "md5").digest() == data[22:38]
    assert b"sesame" not in data


async def test_answers_that_are_signed(files: dict[str, str]) -> None:
    """With a Message-Authenticator or without."""
    outcome = await asked(files, lambda request: [reply(request, attributes=b"\x12\x04hi")])
    assert str(outcome) == 'L7OK Access-Accept for "probe", "hi"'
    outcome = await asked(files, lambda request: [with_message_authenticator(request, SECRET)])
    assert str(outcome) == 'L7OK Access-Accept for "probe"'
    outcome = await asked(files, lambda request: [reply(request, code=11)])
    assert str(outcome) == 'L7STS Access-Challenge for "probe"; expected Access-Accept'


FORGED: dict[str, Callable[[bytes], bytes]] = {
    "garbage": lambda _: b"garbage",
    "empty": lambda _: b"",
    "another secret": lambda request: reply(request, secret=b"wrong"),
    "another id": lambda request: reply(bytes([1, request[1] ^ 1]) + request[2:]),
    "another request": lambda request: reply(request[:4] + bytes(16) + request[20:]),
    "a false Message-Authenticator": lambda request: with_message_authenticator(request, b"wrong"),
    "the request itself": lambda request: request,
    "an enormous length": lambda request: b"\x02" + request[1:2] + b"\xff\xff" + bytes(16),
    "an attribute without length": lambda request: reply(request, attributes=b"\x12\x00"),
    "another code": lambda request: reply(request, code=5),
}


@pytest.mark.parametrize("kind", FORGED)
async def test_forged_answers_are_passed_over(files: dict[str, str], kind: str) -> None:
    """Anybody can send one; the true one that follows counts."""
    outcome = await asked(files, lambda request: [FORGED[kind](request), reply(request)])
    assert str(outcome) == 'L7OK Access-Accept for "probe"'


async def test_forged_answers_alone(files: dict[str, str]) -> None:
    """At the deadline it is told that there were some: the secret may be wrong."""
    outcome = await asked(files, lambda request: [reply(request, secret=b"wrong")], 0.4)
    assert outcome.code == Code.L7TOUT
    assert "1 passed over, not signed with the secret" in outcome.detail


async def test_another_sender_is_not_heard(files: dict[str, str]) -> None:
    """An answer from any address but the server's does not even reach the check."""
    checker = Radius(user="probe", **files)  # type: ignore[arg-type] # names of options
    with udp_socket() as server, udp_socket() as other:
        target = Target(address="127.0.0.1", port=server.getsockname()[1])
        asking = asyncio.create_task(ask_once(checker, target, 0.3))
        request, sender = await asyncio.get_running_loop().sock_recvfrom(server, 4096)
        other.sendto(reply(request), sender)
        outcome = await asking
    assert outcome.code == Code.L7TOUT
    assert "passed over" not in outcome.detail


async def test_a_flood_is_cut_off(files: dict[str, str]) -> None:
    """Forged answers without a pause keep nothing from the deadline."""
    checker = Radius(user="probe", **files)  # type: ignore[arg-type] # names of options
    with udp_socket() as server, flood(server) as begin:
        target = Target(address="127.0.0.1", port=server.getsockname()[1])
        asking = asyncio.create_task(in_engine(checker, target, 0.5))
        request, sender = await asyncio.get_running_loop().sock_recvfrom(server, 4096)
        begin(reply(request, secret=b"wrong"), sender)
        outcome = await asking
    assert outcome.code in {Code.L7TOUT, Code.LATE}


@given(st.binary(max_size=120))
def test_anything_is_read(data: bytes) -> None:
    """No exception, and nothing unsigned is believed."""
    request = Request("probe", b"open sesame", SECRET)
    assert request.reply(data) is None
    assert request.reply(b"\x02" + request.data[1:2] + (20 + len(data)).to_bytes(2, "big") + bytes(16) + data) is None
    found = request.reply(reply(request.data, attributes=data))
    assert found is None or found.name == "Access-Accept"
