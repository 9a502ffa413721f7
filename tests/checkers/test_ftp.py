from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, OptionError, Status, Target
from checkers.ftp import Ftp
from tests.checkers.asking import ask_once
from tests.checkers.scripted import Script
from tests.checkers.servers import Handler, TcpServer
from tests.checkers.speaking import at

GREETING = b"220-Welcome\r\n to our files\r\n220 ready\r\n"
ANSWERS = {
    b"USER": b"331 password\r\n",
    b"PASS": b"230 welcome\r\n",
    b"TYPE": b"200 binary\r\n",
    b"RETR": b"150 here it comes\r\n226 done\r\n",
}


def sending(*parts: bytes, stay: bool = False) -> Handler:
    """The other end of a data connection."""

    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if stay:
            await asyncio.Event().wait()

    return handler


async def script(tcp_server: TcpServer, data: Handler, **answers: bytes) -> Script:
    """A server with this data connection."""
    _, port = await tcp_server(data)
    passive = {b"EPSV": b"229 extended (|||%d|)\r\n" % port}
    given = {name.encode(): answer % {b"high": port >> 8, b"low": port & 255} for name, answer in answers.items()}
    return Script(GREETING, {**ANSWERS, **passive, **given})


async def test_what_is_said(tcp_server: TcpServer) -> None:
    """By an anonymous user, unless another is given; the file comes by passive mode."""
    server = await script(tcp_server, sending(b"all is ", b"well"))
    outcome = await ask_once(Ftp(file="pub/health.txt", expect="all is well"), await at(tcp_server, server))
    assert str(outcome) == 'L7OK greeted with "220 ready", login as "anonymous", file "pub/health.txt"'
    assert server.heard[:5] == [b"USER anonymous", b"PASS healthd@", b"TYPE I", b"EPSV", b"RETR pub/health.txt"]


async def test_a_user_without_a_password(tcp_server: TcpServer) -> None:
    """230 after the name is a login."""
    server = Script(GREETING, {b"USER": b"230 come in\r\n"})
    assert str(await ask_once(Ftp(user="anonymous"), await at(tcp_server, server))).endswith('login as "anonymous"')


async def test_the_answer_to_pasv_sends_nobody_elsewhere(tcp_server: TcpServer) -> None:
    """The address in it is another's, which would be asked for something that it does not know of (RFC 2577)."""
    answers = {"EPSV": b"500 what?\r\n", "PASV": b"227 Entering Passive Mode (192,0,2,1,%(high)d,%(low)d)\r\n"}
    server = await script(tcp_server, sending(b"well"), **answers)
    outcome = await ask_once(Ftp(file="a", expect="well"), await at(tcp_server, server))
    assert outcome.code == Code.L7OK, outcome


async def test_over_ipv6(tcp_server: TcpServer) -> None:
    """EPSV knows no addresses (RFC 2428); PASV would know those of IPv4 alone, so it is not tried."""
    _, port = await tcp_server(sending(b"all is well"), host="::1")
    server = Script(GREETING, {**ANSWERS, b"EPSV": b"229 extended (|||%d|)\r\n" % port})
    address, control = await tcp_server(server, host="::1")
    target = Target(address=address, port=control)
    assert (await ask_once(Ftp(file="a", expect="well"), target)).code == Code.L7OK
    server.answers = {**ANSWERS, b"EPSV": b"522 network protocol not supported, use (1)\r\n"}
    refused = await ask_once(Ftp(file="a"), target)
    assert str(refused).startswith('L7STS passive mode: answered "522 ')


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"EPSV": b"421 too many\r\n"}, 'L7STS passive mode: answered "421 too many"; expected 227 or 229'),
        ({"EPSV": b"229 ok (|||0|)\r\n"}, 'L7RSP passive mode: no port in "229 ok (|||0|)"'),
        ({"RETR": b"550 no\r\n"}, 'L7STS file "a": answered "550 no"; expected 125 or 150'),
        ({"RETR": b"150 go\r\n451 disk\r\n"}, 'L7STS file "a": answered "451 disk"; expected 226 or 250'),
        ({"TYPE": b"504 no\r\n"}, 'L7STS TYPE I: answered "504 no"; expected 200'),
        ({"USER": b"530 no\r\n"}, 'L7STS login as "anonymous": answered "530 no"; expected 230 or 232 or 331'),
        ({"PASS": b"332 account\r\n"}, 'L7STS login as "anonymous": answered "332 account"; expected 202 or 230'),
    ],
)
async def test_an_answer_that_says_no(tcp_server: TcpServer, answers: dict[str, bytes], expected: str) -> None:
    """Each one alone fails the check, a file cut short by the server included."""
    server = await script(tcp_server, sending(b"all is well"), **answers)
    assert str(await ask_once(Ftp(file="a", expect="well"), await at(tcp_server, server))) == expected


async def test_content(tcp_server: TcpServer) -> None:
    """An empty file has nothing that could be expected; any file will do where nothing is."""
    server = await script(tcp_server, sending())
    empty = await ask_once(Ftp(file="a", expect="well"), await at(tcp_server, server))
    assert str(empty) == 'L7RSP "well" is not in file "a", which is empty'
    assert (await ask_once(Ftp(file="a"), await at(tcp_server, server))).code == Code.L7OK


async def test_an_endless_file(tcp_server: TcpServer) -> None:
    """It is read as far as `max_file`, which is enough to judge it by."""
    server = await script(tcp_server, sending(*[b"x" * 65536] * 2000))
    outcome = await ask_once(Ftp(file="a", expect="well", max_file=1000), await at(tcp_server, server))
    assert str(outcome).startswith('L7RSP "well" is not in the first 1000 bytes of "a", which begins with "xxx')


async def test_a_data_connection_that_fails(tcp_server: TcpServer) -> None:
    """Silent until the deadline, once it is there."""
    silent = await script(tcp_server, sending(b"all", stay=True))
    late = await ask_once(Ftp(file="a"), await at(tcp_server, silent), 0.3)
    assert (late.status, late.code) == (Status.FAIL, Code.L7TOUT)


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"file": ""}, "file", "must be a path, without control characters"),
        ({"file": "a\r\nDELE b"}, "file", "must be a path, without control characters"),
        ({"expect": "well"}, "expect", "needs file, whose text this is"),
        ({"file": "a", "expect": ""}, "expect", "must not be empty"),
        ({"file": "a", "max_file": 0}, "max_file", "must be from 1 to 16777216 bytes, not 0"),
        ({"user": "probe"}, "user", "needs password_file"),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any], option: str, message: str) -> None:
    """Nothing that could end a line gets into a command."""
    with pytest.raises(OptionError) as caught:
        Ftp(**options)
    assert caught.value.option == option
    assert str(caught.value).startswith(message)


def test_an_anonymous_user_may_have_a_password(tmp_path: Path) -> None:
    """Its own, where the server wants one."""
    (tmp_path / "password").write_text("probe@example.com\n")
    assert Ftp(user="anonymous") != Ftp(user="anonymous", password_file=f"{tmp_path}/password")


async def test_a_data_connection_that_does_not_come_about(tcp_server: TcpServer) -> None:
    """The login went well, so it is said which of the two connections is refused, or hangs."""
    with socket.socket() as closed, socket.socket() as full:
        closed.bind(("127.0.0.1", 0))
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):
            told = {}
            for sock in (closed, full):
                port = sock.getsockname()[1]
                server = Script(GREETING, {**ANSWERS, b"EPSV": b"229 extended (|||%d|)\r\n" % port})
                outcome = await ask_once(Ftp(file="a"), await at(tcp_server, server), 0.3)
                told[sock] = str(outcome).replace(str(port), "PORT")
    refused = "Connection refused (ECONNREFUSED)"
    assert told[closed] == f"L4CON data connection: connecting to 127.0.0.1:PORT: {refused}"
    assert told[full] == "L4TOUT no result within 0.3 s while connecting to 127.0.0.1:PORT, the data connection"
