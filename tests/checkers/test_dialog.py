"""The `dialog` check against Redis, inside TLS, and over UDP."""

import contextlib
import dataclasses
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from checkers.base import Code, OptionError, Status, Target
from checkers.dialog import Dialog
from checkers.step import Step
from tests.checkers.asking import Notes, ask, ask_once
from tests.checkers.datagrams import udp_server
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at, saying
from tests.support.ports import free_port

REDIS = shutil.which("redis-server")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    if REDIS is None:
        pytest.skip("Redis is not installed (Debian: apt-get install redis-server)")
    port = free_port()
    options = f"--port {port} --bind 127.0.0.1 --requirepass hunter2 --save --appendonly no"
    command = [REDIS, *options.split(), "--dir", str(tmp_path_factory.mktemp("redis"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if "Ready to accept connections" in line:
                    break
            else:
                pytest.fail("redis-server did not start:\n" + "".join(said))
            yield Target(address="127.0.0.1", port=port)
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("send", "sent"), [("PING\r\n", r'sent "PING\r\n"'), (r"PING\r\n", r'sent "PING\\r\\n"')], ids=["ends", "spelling"]
)
async def test_what_is_sent_is_noted(tcp_server: TcpServer, send: str, sent: str) -> None:
    """For a probe; that `-o send=PING\\r\\n` has no line end, for want of quotes, can be seen there."""
    trace = Notes()
    target = dataclasses.replace(await at(tcp_server, saying(b"+PONG")), trace=trace)
    await Dialog(send=send, expect="+PONG").check(target)
    assert sent in trace.notes


async def test_redis(redis: Target) -> None:
    """A dialogue with a real server passes step by step, and the pass shows what the last step saw."""
    steps = (
        Step(send="AUTH hunter2\r\n", expect="+OK\r\n", match="prefix"),
        Step(send_hex="50 49 4e 47 0d 0a", expect_hex="2b504f4e47", match="prefix"),
        Step(send="INFO server\r\n", expect_regex=r"redis_version:\d+[.]"),
        Step(send="QUIT\r\n"),
    )
    outcome = await ask(Dialog(steps=steps), redis)
    assert (outcome.status, outcome.code) == (Status.PASS, Code.L7OK), outcome
    assert outcome.detail.startswith('step 4 of 4: received "')
    assert r"# Server\r\nredis_version:" in outcome.detail


async def test_redis_refuses(redis: Target) -> None:
    """Another answer than the expected one fails at once and is shown; a password that was sent is not."""
    steps = (Step(send="AUTH wrong-password\r\n", expect="+OK", match="prefix"), Step(send="PING\r\n", expect="+PONG"))
    outcome = await ask(Dialog(steps=steps), redis)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP)
    assert outcome.detail.startswith('step 1 of 2: expected "+OK" first, received "-WRONGPASS')
    assert "wrong-password" not in repr(steps) + str(outcome)


@pytest.mark.parametrize(
    "expectation",
    [
        {"expect": "ready"},
        {"expect": "220 mail", "match": "prefix"},
        {"expect_hex": "72 65 61 64 79"},
        {"expect_hex": "323230", "match": "prefix"},
        {"expect_regex": r"^220 \S+ ready\r\n$"},
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [1, 5, 100])
async def test_match_across_packets(tcp_server: TcpServer, expectation: dict[str, Any], size: int) -> None:
    """The expectation is found however the answer is cut into packets."""
    greeting = b"220 mail ready\r\n"
    parts = [greeting[at : at + size] for at in range(0, len(greeting), size)]
    outcome = await ask(Dialog(**expectation), await at(tcp_server, saying(*parts, pause=0.002)))
    assert outcome.status is Status.PASS, outcome


async def test_each_step_sees_what_follows(tcp_server: TcpServer) -> None:
    """What a step matched is gone for the next; what came along in the same packet is not."""
    target = await at(tcp_server, saying(b"one two one"))
    words = (Step(expect="one"), Step(expect=" two", match="prefix"), Step(expect_regex="o."))
    assert (await ask(Dialog(steps=words), target)).detail == 'step 3 of 3: received " on"'
    again = await ask(Dialog(steps=(*words, Step(expect="o"))), target, 0.2)
    assert str(again) == 'L7TOUT no result within 0.2 s while in step 4 of 4, waiting for "o", received "e"'


async def test_text_that_is_not_ascii(tcp_server: TcpServer) -> None:
    """A regular expression sees characters, and the next step goes on at the right byte."""
    target = await at(tcp_server, saying("größer als".encode()))
    steps = (Step(expect_regex="^gr[aeiouöß]+e"), Step(expect="r als", match="prefix"))
    assert (await ask(Dialog(steps=steps), target)).status is Status.PASS


async def test_bytes_that_are_no_text(tcp_server: TcpServer) -> None:
    """Bytes that are no UTF-8 neither disturb an expectation nor reach the output raw."""
    target = await at(tcp_server, saying(b"\xff\xfe\x00\x1b[31m OK\n"))
    for checker in (Dialog(expect_hex="fffe00"), Dialog(steps=(Step(expect_regex=r"\[31m"), Step(expect=" OK")))):
        assert (await ask(checker, target)).status is Status.PASS
    wrong = await ask(Dialog(expect="OK", match="prefix"), target)
    assert str(wrong) == r'L7RSP expected "OK" first, received "\xff\xfe\x00\x1b[31m OK\n"'


async def test_prefix_is_decided_early(tcp_server: TcpServer) -> None:
    """With match = "prefix" the first wrong byte decides: the deadline is not waited for."""
    target = await at(tcp_server, saying(b"5"))
    outcome = await ask(Dialog(expect="220", match="prefix"), target)
    assert str(outcome) == 'L7RSP expected "220" first, received "5"'
    longer = await ask(Dialog(expect="50", match="prefix"), target, 0.2)
    assert longer.code == Code.L7TOUT


async def test_sending_is_enough_over_tcp(tcp_server: TcpServer) -> None:
    """Without an expectation the check is one of the connection."""
    outcome = await ask(Dialog(send="QUIT\r\n"), await at(tcp_server, saying()))
    assert str(outcome) == "L7OK sent"


async def test_udp_steps() -> None:
    """Over UDP each step sends one datagram and looks at one."""
    async with udp_server(lambda data: [b"echo:" + data]) as (target, received):
        steps = (
            Step(send="one", expect="echo:one", match="prefix"),
            Step(send_hex="ff 00", expect_hex="3aff00"),
            Step(send="three", expect_regex=r"three$"),
        )
        outcome = await ask_once(Dialog(protocol="udp", steps=steps), target)
        assert str(outcome) == 'L7OK step 3 of 3: received "echo:three"'
        assert received == [b"one", b"\xff\x00", b"three"]
        wrong = await ask(Dialog(protocol="udp", send="one", expect="one", match="prefix"), target)
        assert str(wrong) == 'L7RSP "one" not found in the datagram, received "echo:one"'


@contextlib.contextmanager
def certificates() -> Iterator[tuple[ssl.SSLContext, str]]:
    """A server's context with a certificate for mail.example, and the file of the authority behind it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("mail.example").configure_cert(context)
    with authority.cert_pem.tempfile() as ca_file:
        yield context, ca_file


async def test_tls(tcp_server: TcpServer) -> None:
    """With tls = true the dialogue is spoken inside TLS, with the certificate held against tls_name."""
    with certificates() as (context, ca_file):
        target = await at(tcp_server, saying(b"220 ready\r\n"), context)
        named = Dialog(expect="220", match="prefix", tls=True, tls_name="mail.example", ca_file=ca_file)
        assert str(await ask(named, target)) == 'L7OK received "220"'
        for other in (
            Dialog(expect="220", tls=True, tls_name="web.example", ca_file=ca_file),
            Dialog(expect="220", tls=True, ca_file=ca_file),
            Dialog(expect="220", tls=True, tls_name="mail.example"),
        ):
            outcome = await ask(other, target)
            assert (outcome.status, outcome.code) == (Status.FAIL, Code.L6RSP), outcome
        assert (await ask(Dialog(expect="220", tls=True, verify=False), target)).status is Status.PASS


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({}, "steps", "missing: give at least one step, or one of send, send_hex, expect, expect_hex, expect_regex"),
        ({"steps": (Step(send="x"),), "expect": "y"}, "expect", "cannot stand beside steps: move it into one of them"),
        ({"steps": (Step(send="x"),), "match": "prefix"}, "match", "cannot stand beside steps"),
        ({"send": "x", "send_hex": "78"}, "send_hex", "cannot stand beside send: give one of the two"),
        ({"expect": "x", "expect_regex": "x"}, "expect_regex", "cannot stand beside expect: give one of the two"),
        ({"expect": ""}, "expect", "must not be empty"),
        ({"send": "x", "send_hex": ""}, "send_hex", "must not be empty"),
        ({"send_hex": "5g"}, "send_hex", 'must be pairs of hexadecimal digits such as "50 49 4e 47"'),
        ({"expect_hex": "505"}, "expect_hex", "must be pairs of hexadecimal digits"),
        ({"expect_regex": "("}, "expect_regex", '"(" is not a regular expression'),
        ({"expect_regex": "x", "match": "prefix"}, "match", "a regular expression begins with ^ instead"),
        ({"expect": "x", "max_answer": 0}, "max_answer", "must be from 1 to 1048576 bytes, not 0"),
        ({"expect": "xyz", "max_answer": 2}, "max_answer", "is less than what is expected: 2 bytes"),
        ({"protocol": "udp", "send": "x"}, "protocol", "over UDP without anything expected the check could never fail"),
        ({"protocol": "udp", "expect": "x"}, "protocol", "over UDP the first step must send"),
        ({"protocol": "udp", "steps": (Step(expect="x"),)}, "steps", "over UDP the first step must send"),
        ({"protocol": "udp", "send": "x", "expect": "y", "tls": True}, "tls", 'needs protocol = "tcp"'),
    ],
)
def test_bad_options(options: dict[str, Any], option: str, message: str) -> None:
    """An option that can never work is refused when the check is made, by its name and with the way out."""
    with pytest.raises(OptionError) as caught:
        Dialog(**options)
    assert caught.value.option == option
    assert message in str(caught.value)


def test_empty_step() -> None:
    """A step that neither sends nor expects is refused."""
    with pytest.raises(OptionError, match="nothing is sent and nothing expected: give one of send, send_hex, expect"):
        Step()


def test_missing_authority(tmp_path: Path) -> None:
    """The files of TLS are read when the check is made: a missing one is refused then."""
    with pytest.raises(OptionError) as caught:
        Dialog(expect="x", tls=True, ca_file=str(tmp_path / "missing.pem"))
    assert caught.value.option == "ca_file"
