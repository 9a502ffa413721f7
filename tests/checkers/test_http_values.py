"""Conditions on the JSON of an HTTP answer, and the weight that the answer asks for."""

from typing import Any

import pytest

from checkers.base import OptionError, Outcome, Status, Target
from checkers.http import Http
from checkers.json_condition import JsonCondition
from tests.checkers.asking import ask
from tests.checkers.servers import Canned, TcpServer

UP = JsonCondition(path="$.status", value="up")


async def answered(tcp_server: TcpServer, body: bytes, fields: bytes = b"", **options: Any) -> Outcome:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), fields, body)
    host, port = await tcp_server(Canned(answer))
    return await ask(Http(**options), Target(address=host, port=port))


async def test_conditions_that_hold(tcp_server: TcpServer) -> None:
    """All of them have to."""
    queue = JsonCondition(path="$.queue", operator="<", value=100)
    outcome = await answered(tcp_server, b'{"status": "up", "queue": 7}', json=(UP, queue))
    assert str(outcome) == 'L7OK "HTTP/1.1 200 OK"'
    outcome = await answered(tcp_server, b'{"status": "up", "queue": 700}', json=(UP, queue))
    assert str(outcome) == 'L7RSP answered "HTTP/1.1 200 OK", JSON $.queue is 700; expected < 100'


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the body is no JSON: Expecting value: line 1 column 1 (char 0); it is empty"),
        (b"<html>", 'the body is no JSON: Expecting value: line 1 column 1 (char 0); it begins with "<html>"'),
        (b'{"status": "up"', 'it begins with "{"status": "up""'),
        (b"[" * 5000, 'it begins with "[[['),
        (b'{"status": "up"}' + b" " * 9000, "the body is longer than max_body, 8192 bytes: its JSON is cut off"),
        (b'{"status": "down"}', 'JSON $.status is "down"; expected == "up"'),
        (b"[]", "JSON $.status: $ is an array of 0, not an object"),
    ],
)
async def test_a_body_that_does_not_meet_a_condition(tcp_server: TcpServer, body: bytes, why: str) -> None:
    """L7RSP says whether it is no JSON, too long, or has another value, and shows what was found."""
    outcome = await answered(tcp_server, body, json=(UP,), max_body=8192)
    assert (outcome.status, outcome.code) == (Status.FAIL, "L7RSP")
    assert why in outcome.detail


@pytest.mark.parametrize(
    ("written", "weight", "factor"),
    [
        (b"20", 20, None),
        (b"0", 0, None),
        (b"999999999", 65535, None),
        (b"50%", None, 0.5),
        (b"12.5 %", None, 0.125),
        (b"0%", None, 0.0),
        (b"999999999%", None, 65535.0),
    ],
)
async def test_a_weight_in_a_header_field(
    tcp_server: TcpServer, written: bytes, weight: int | None, factor: float | None
) -> None:
    """A number is a weight and a percentage a factor, clamped to what the kernel takes."""
    outcome = await answered(tcp_server, b"", b"X-Weight: " + written + b"\r\n", weight_header="x-weight")
    assert (outcome.code, outcome.weight, outcome.factor) == ("L7OK", weight, factor)
    assert written.decode() in outcome.detail


@pytest.mark.parametrize("written", [b"-1", b"heavy", b"", b"1e3", b"2.5", b"50%%", b"9" * 10, b"\xb2"])
async def test_a_weight_that_is_none_is_passed_over(tcp_server: TcpServer, written: bytes) -> None:
    """The server has answered as expected, so it passes; the detail says that its weight was not understood."""
    outcome = await answered(tcp_server, b"", b"X-Weight: " + written + b"\r\n", weight_header="X-Weight")
    assert (outcome.code, outcome.weight, outcome.factor) == ("L7OK", None, None)
    assert "neither a weight nor a percentage, so no weight taken" in outcome.detail


async def test_a_missing_weight_is_said(tcp_server: TcpServer) -> None:
    """In a header or in a JSON value."""
    outcome = await answered(tcp_server, b"", weight_header="X-Weight")
    assert str(outcome) == 'L7OK "HTTP/1.1 200 OK", X-Weight is missing: no weight taken'
    outcome = await answered(tcp_server, b"{}", weight_json="$.weight")
    assert outcome.detail.endswith('JSON $.weight: $ has no member "weight", only none at all; no weight taken')


@pytest.mark.parametrize(
    ("body", "weight", "factor"),
    [
        (b'{"w": 20}', 20, None),
        (b'{"w": 20.0}', 20, None),
        (b'{"w": "20"}', 20, None),
        (b'{"w": "75%"}', None, 0.75),
        (b'{"w": 2.5}', None, None),
        (b'{"w": true}', None, None),
        (b'{"w": null}', None, None),
        (b'{"w": [1]}', None, None),
        (b'{"w": -5}', None, None),
        (b'{"w": 1e999}', None, None),
    ],
)
async def test_a_weight_in_a_json_value(
    tcp_server: TcpServer, body: bytes, weight: int | None, factor: float | None
) -> None:
    """A whole number, or a text as in a header; other types are no weight."""
    outcome = await answered(tcp_server, body, weight_json="$.w")
    assert (outcome.code, outcome.weight, outcome.factor) == ("L7OK", weight, factor)


async def test_a_failure_wins_over_a_weight(tcp_server: TcpServer) -> None:
    """A server that is not as expected has no say."""
    outcome = await answered(tcp_server, b'{"w": 20, "status": "down"}', weight_json="$.w", json=(UP,))
    assert (outcome.code, outcome.weight) == ("L7RSP", None)


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"json": (UP,), "method": "HEAD"}, "json", "cannot be met with method = HEAD"),
        ({"weight_json": "$.w", "method": "HEAD"}, "weight_json", "cannot be met with method = HEAD"),
        ({"json": (UP,), "max_body": 2_000_000}, "max_body", "must be at most 262144 where JSON is read, not 2000000"),
        ({"weight_json": "w"}, "weight_json", '"w" is no path: must start with "$"'),
        ({"weight_header": "X Weight"}, "weight_header", '"X Weight" is no name of a header field'),
        ({"weight_header": "X", "weight_json": "$"}, "weight_json", "cannot stand beside weight_header"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], option: str, message: str) -> None:
    """The error names the option and what it should be."""
    with pytest.raises(OptionError) as caught:
        Http(**options)
    assert caught.value.option == option
    assert message in str(caught.value)
