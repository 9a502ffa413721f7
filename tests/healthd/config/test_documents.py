from __future__ import annotations

import os
from pathlib import Path

import pytest

from healthd.config import ConfigError, load

SERVICE = """
[service.{name}]
virtual = "192.168.7.110:{port}"
check = {{ type = "tcp" }}
[[service.{name}.server]]
address = "192.168.7.11"
"""


def refused(path: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.messages


def test_a_folder_is_one_configuration_in_the_order_of_names(tmp_path: Path) -> None:
    """Services come in the order of the files' names, whatever the order in the folder."""
    for number, name in ((20, "b"), (10, "c"), (30, "a")):
        (tmp_path / f"{number}-{name}.toml").write_text(SERVICE.format(name=name, port=number))
    config = load(tmp_path)
    assert [service.name for service in config.services] == ["c", "b", "a"]
    assert config.sources == {"c": tmp_path / "10-c.toml", "b": tmp_path / "20-b.toml", "a": tmp_path / "30-a.toml"}


def test_files_of_editors_and_other_files_are_passed_over(tmp_path: Path) -> None:
    """An emacs lock is a dangling link whose name begins with a dot: it must not break a reload."""
    (tmp_path / "web.toml").write_text(SERVICE.format(name="web", port=80))
    (tmp_path / ".#web.toml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "web.toml.orig").write_text("[[[")
    (tmp_path / "notes.txt").write_text("[[[")
    assert [service.name for service in load(tmp_path).services] == ["web"]


def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    """What is named itself is read, whatever it is called."""
    (tmp_path / "web.conf").write_text(SERVICE.format(name="web", port=80))
    assert load(tmp_path / "web.conf").services


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """The message says what was looked for and what would have been good."""
    missing = tmp_path / "conf.d"
    assert refused(missing) == (f"{missing}: does not exist; expected a TOML file or a folder with *.toml files",)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A file without read permission is an error, in the words of the system."""
    file = tmp_path / "web.toml"
    file.write_text("")
    file.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read everything
    try:
        assert refused(file) == (f"{file}: cannot be read: Permission denied",)
    finally:
        os.seteuid(user)


def test_a_dangling_link_is_named(tmp_path: Path) -> None:
    """A file of the folder that cannot be read is an error; it is not passed over."""
    (tmp_path / "web.toml").symlink_to(tmp_path / "nowhere")
    assert refused(tmp_path) == (f"{tmp_path}/web.toml: cannot be read: No such file or directory",)


def test_an_impossible_path_is_a_message_too() -> None:
    """Even a path that no system call takes ends in a message."""
    assert refused(Path("a\0b")) == ("a\0b: cannot be read: a null byte is no part of a name",)


def test_what_would_exhaust_the_parser_is_a_message(tmp_path: Path) -> None:
    """Nesting without end and numbers without end are errors of the file, not crashes."""
    deep, long = tmp_path / "deep.toml", tmp_path / "long.toml"
    deep.write_text("a = " + "[" * 5000 + "]" * 5000)
    long.write_text("a = " + "1" * 5000)
    said = refused(tmp_path)
    assert said[0] == f"{deep}: not valid TOML: tables or arrays are nested too deep"
    assert said[1].startswith(f"{long}: not valid TOML: exceeds the limit (4300 digits)")


def test_a_byte_order_mark_and_windows_line_ends_are_taken(tmp_path: Path) -> None:
    """Files from a Windows editor are read, and their lines are counted as everyone counts them."""
    text = SERVICE.format(name="web", port=80).replace("\n", "\r\n") + "wieght = 1\r\n"
    file = tmp_path / "web.toml"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert refused(file) == (f'{file}:7: service.web.server[0].wieght: unknown key; did you mean "weight"?',)
