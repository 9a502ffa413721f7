from pathlib import Path

import pytest

from checkers.base import OptionError
from checkers.passwords import password_of, read_password


@pytest.mark.parametrize("content", [b"open sesame", b"open sesame\n", b"open sesame\r\n"])
def test_a_password_is_one_line(tmp_path: Path, content: bytes) -> None:
    """With or without its end; blanks belong to it."""
    (tmp_path / "password").write_bytes(content)
    assert read_password("password_file", f"{tmp_path}/password") == b"open sesame"
    assert password_of("probe", f"{tmp_path}/password") == b"open sesame"


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", b"one\rtwo", b"a\0b"])
def test_what_is_no_password(tmp_path: Path, content: bytes) -> None:
    """Nothing of the content is in the message, since it may be a part of a password."""
    (tmp_path / "password").write_bytes(content)
    with pytest.raises(OptionError) as caught:
        read_password("password_file", f"{tmp_path}/password")
    assert caught.value.option == "password_file"
    assert str(caught.value) == f'"{tmp_path}/password" must hold the password in one line, and nothing else'


def test_a_user_and_his_password_go_together(tmp_path: Path) -> None:
    """Neither is no login; the message names the other option."""
    assert password_of(None, None) == b""
    with pytest.raises(OptionError, match=r"^needs user, whose password this is$") as alone:
        password_of(None, "/etc/healthd/password")
    assert alone.value.option == "password_file"
    with pytest.raises(OptionError, match=r"^needs proxy_password_file, the path") as nameless:
        password_of("probe", None, "proxy_")
    assert nameless.value.option == "proxy_user"
    with pytest.raises(OptionError, match="cannot read"):
        password_of("probe", f"{tmp_path}/missing")


def test_a_password_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """For containers, which are given their secrets so; the value is in no message."""
    monkeypatch.setenv("PROBE_PASSWORD", "open sesame")
    assert read_password("password_file", "environment:PROBE_PASSWORD") == b"open sesame"
    monkeypatch.setenv("PROBE_PASSWORD", "two\nlines")
    with pytest.raises(OptionError, match="must hold the password in one line") as caught:
        read_password("password_file", "environment:PROBE_PASSWORD")
    assert "two" not in str(caught.value)
    monkeypatch.delenv("PROBE_PASSWORD")
    with pytest.raises(OptionError) as missing:
        read_password("password_file", "environment:PROBE_PASSWORD")
    assert missing.value.option == "password_file"
    assert str(missing.value) == "the environment variable PROBE_PASSWORD is not set in this process"


@pytest.mark.parametrize("name", ["", "A B", "a=b", "1A", "A\0"])
def test_a_name_that_is_no_variable(name: str) -> None:
    """It is said what is expected."""
    with pytest.raises(OptionError, match=r'^expected "environment:" and the name of a variable, such as'):
        read_password("password_file", f"environment:{name}")
