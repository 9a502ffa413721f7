import os
import socket
import threading
from pathlib import Path
from typing import Any, NoReturn

import pytest

from checkers import looking
from checkers.aside import THREADS
from checkers.base import Code, OptionError, Status, Target
from checkers.file import File
from tests.checkers.asking import ask

TARGET = Target(address="127.0.0.1", port=8080, server_address="127.0.0.1", server_port=80, service="web")
TARGET6 = Target(address="2001:db8::1", port=80)

OK, BAD, ERROR = (
    (Status.PASS, Code.FILEOK),
    (Status.FAIL, Code.FILEBAD),
    (Status.UNKNOWN, Code.FILEERR),
)


async def test_maintenance_by_touch(tmp_path: Path) -> None:
    """Without the file the check passes, with it it fails, and without it passes again."""
    checker = File(path=f"{tmp_path}/{{service}}-{{address}}")
    file = tmp_path / "web-127.0.0.1"
    for expected, text in ((OK, "is not there"), (BAD, 'is there; expect = "absent"'), (OK, "is not there")):
        outcome = await ask(checker, TARGET)
        assert ((outcome.status, outcome.code), outcome.detail) == (expected, f"{file} {text}")
        if file.exists():
            file.unlink()
        else:
            file.touch()


async def test_a_file_that_must_be_there(tmp_path: Path) -> None:
    """Present passes, absent fails, and one that nobody has touched for too long fails with its age."""
    file = tmp_path / "alive"
    checker = File(path=str(file), expect="present", max_age="1m")
    assert (await ask(checker, TARGET)).detail == f'{file} is not there; expect = "present"'
    file.touch()
    assert (await ask(checker, TARGET)).detail == f"{file} is there"
    os.utime(file, (1_000_000_000, 1_000_000_000))
    outcome = await ask(checker, TARGET)
    assert (outcome.status, outcome.code) == BAD
    assert outcome.detail.startswith(f"{file} is ")
    assert outcome.detail.endswith(" s old, older than 1m")


@pytest.mark.parametrize(
    ("content", "weight", "factor"),
    [(b"0", 0, None), (b" 50\n", 50, None), (b"65535", 65535, None), (b"50%\n", None, 0.5), (b"150%", None, 1.5)],
)
async def test_a_weight_inside(content: bytes, weight: int | None, factor: float | None, tmp_path: Path) -> None:
    """A number is the weight, a percentage the share of the configured one."""
    file = tmp_path / "weight"
    file.write_bytes(content)
    outcome = await ask(File(path=str(file), expect="weight"), TARGET)
    assert (outcome.status, outcome.code) == OK
    assert (outcome.weight, outcome.factor) == (weight, factor)


async def test_without_the_file_the_configured_weight_holds(tmp_path: Path) -> None:
    """It passes and asks for nothing."""
    outcome = await ask(File(path=f"{tmp_path}/weight", expect="weight"), TARGET)
    assert ((outcome.status, outcome.code), outcome.weight, outcome.factor) == (OK, None, None)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is empty"),
        (b"-1", 'holds "-1"'),
        (b"65536", 'holds "65536"'),
        (b"5 6", 'holds "5 6"'),
        (b"\xff\0", r'holds "\xff\x00"'),
        (b"9" * 100_000, f'holds "{"9" * 60}"...'),
    ],
)
async def test_what_is_no_weight_is_unknown(content: bytes, text: str, tmp_path: Path) -> None:
    """Whoever writes the file is at fault, and not the server; no more than a few bytes are read."""
    file = tmp_path / "weight"
    file.write_bytes(content)
    outcome = await ask(File(path=str(file), expect="weight"), TARGET)
    assert (outcome.status, outcome.code) == ERROR
    assert outcome.detail == f'{file} {text}; expected a weight from 0 to 65535, or a share such as "50%"'


async def test_what_cannot_be_looked_at_is_unknown(tmp_path: Path) -> None:
    """A folder that is missing, or is none, a named pipe, a folder in the place of a file: no server is to blame."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    cases: dict[str, dict[str, Any]] = {
        "No such file or directory": {"path": f"{tmp_path}/missing/x"},
        "Not a directory": {"path": f"{tmp_path}/file/x"},
        "is no regular file": {"path": f"{tmp_path}/pipe", "expect": "weight"},
    }
    for reason, options in cases.items():
        outcome = await ask(File(**options), TARGET)
        assert (outcome.status, outcome.code) == ERROR
        assert outcome.detail.startswith("cannot look at ")
        assert outcome.detail.endswith(reason)
    outcome = await ask(File(path=f"{tmp_path}/folder", expect="weight"), TARGET)
    assert (outcome.status, outcome.detail) == (Status.UNKNOWN, f"cannot look at {tmp_path}/folder: is no regular file")
    outcome = await ask(File(directory=f"{tmp_path}/missing"), TARGET)
    assert outcome.detail == f"cannot look at {tmp_path}/missing: No such file or directory"


@pytest.mark.parametrize("name", ["127.0.0.1", "127.0.0.1:80", "localhost", "localhost:80"])
async def test_the_names_of_a_maintenancedir(name: str, tmp_path: Path) -> None:
    """Address or host name, all of it or the port of the real server: as ldirectord has them."""
    checker = File(directory=str(tmp_path))
    for other in ("127.0.0.1:8080", "127.0.0.2", "localhost:81", "elsewhere", "README", ".hidden"):
        (tmp_path / other).touch()
    outcome = await ask(checker, TARGET)
    assert ((outcome.status, outcome.code), outcome.detail) == (OK, f"no file in {tmp_path} names 127.0.0.1")
    (tmp_path / name).touch()
    outcome = await ask(checker, TARGET)
    assert ((outcome.status, outcome.code), outcome.detail) == (BAD, f"maintenance: {tmp_path}/{name} is there")


@pytest.mark.parametrize("name", ["[2001:db8::1]", "[2001:db8::1]:80"])
async def test_ipv6_stands_in_brackets(name: str, tmp_path: Path) -> None:
    """With and without a port."""
    checker = File(directory=str(tmp_path))
    assert (await ask(checker, TARGET6)).status is Status.PASS
    (tmp_path / name).touch()
    assert (await ask(checker, TARGET6)).detail == f"maintenance: {tmp_path}/{name} is there"


def test_full_and_short_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may be called by its full name and by the first part of it; one without a name has none."""
    found = ("web1.example.com", ["www.example.com"], ["192.0.2.1"])
    monkeypatch.setattr(socket, "gethostbyaddr", lambda _: found)
    assert set(looking.hosts_of("192.0.2.1")) == {"web1.example.com", "web1", "www.example.com", "www"}

    def unknown(_: str) -> NoReturn:
        raise socket.herror(1, "Unknown host")

    monkeypatch.setattr(socket, "gethostbyaddr", unknown)
    assert looking.hosts_of("192.0.2.1") == ()


async def test_names_are_looked_up_only_where_a_file_may_have_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Maintenance by address needs no resolver; one that cannot tell makes it unknown, not a failure."""

    def broken(_: str) -> NoReturn:
        raise socket.herror(2, "Host name lookup failure")

    monkeypatch.setattr(socket, "gethostbyaddr", broken)
    checker = File(directory=str(tmp_path))
    (tmp_path / "192.0.2.9").touch()
    (tmp_path / "[2001:db8::9]").touch()
    assert (await ask(checker, TARGET)).status is Status.PASS
    (tmp_path / "web1").touch()
    outcome = await ask(checker, TARGET)
    assert (outcome.status, outcome.code) == ERROR
    assert outcome.detail == (
        f"the files in {tmp_path} may name a host, and its name cannot be told: Host name lookup failure"
    )


async def test_a_folder_with_too_many_files_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of ten thousand are read, and no more."""
    monkeypatch.setattr(looking, "FILES_AT_MOST", 2)
    for name in "abc":
        (tmp_path / name).touch()
    outcome = await ask(File(directory=str(tmp_path)), TARGET)
    assert outcome.detail == f"cannot look at {tmp_path}: has more than 2 files"


async def test_a_file_system_that_hangs_says_nothing_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the deadline it is unknown, nothing else waits, and no more threads are made than there are."""
    answer = threading.Event()
    monkeypatch.setattr(looking, "look", lambda *_: answer.wait() and None)
    try:
        for _ in range(THREADS + 2):
            outcome = await ask(File(path="/mnt/x"), TARGET, 0.05)
            assert ((outcome.status, outcome.code), outcome.detail) == (
                ERROR,
                "no result within 0.05 s while looking at /mnt/x",
            )
        assert len([thread for thread in threading.enumerate() if thread.name.startswith("aside-")]) == THREADS
    finally:
        answer.set()
    monkeypatch.undo()
    assert (await ask(File(path="/proc/self/stat"), TARGET)).detail == '/proc/self/stat is there; expect = "absent"'


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({}, "path", "give either path, a file, or directory, a folder of files named for servers"),
        ({"path": "/a", "directory": "/b"}, "path", "give either path, a file, or directory, a folder of files named"),
        ({"path": "a"}, "path", 'must begin with "/", not "a"'),
        ({"path": "/{adress}"}, "path", 'unknown placeholder "{adress}"; did you mean "{address}"?'),
        ({"path": "/a\0"}, "path", r'"/a\x00": cannot hold a NUL character'),
        ({"directory": "/a\0"}, "directory", "cannot hold a NUL character"),
        ({"directory": "/a", "expect": "weight"}, "expect", 'a directory is for maintenance, with expect = "absent"'),
        ({"path": "/a", "max_age": "1m"}, "max_age", "what should be absent has no age: leave it out"),
        ({"path": "/a", "expect": "present", "max_age": "1"}, "max_age", 'expected a duration such as "50ms"'),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any], option: str, message: str) -> None:
    """Each is refused when the configuration is read, and the message says what to write instead."""
    with pytest.raises(OptionError) as caught:
        File(**options)
    assert caught.value.option == option
    assert str(caught.value).startswith(message)
