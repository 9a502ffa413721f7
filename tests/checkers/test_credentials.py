from __future__ import annotations

from pathlib import Path

import pytest

from checkers.base import OptionError
from checkers.credentials import located
from checkers.http import Http


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "backend").write_text("secret\n")
    return tmp_path


def test_a_credential_is_a_file_of_the_service_manager(credentials: Path) -> None:
    """Any other path stands as it is written."""
    assert located("credential:backend") == f"{credentials}/backend"
    assert located("/etc/healthd/password") == "/etc/healthd/password"
    assert located("password") == "password"


@pytest.mark.parametrize("name", ["", "../backend", "a/b", "..", ".", "a b", "a\n", "x" * 256])
def test_a_name_leads_nowhere_else(credentials: Path, name: str) -> None:
    """A credential is a file of that one folder."""
    with pytest.raises(ValueError, match='expected "credential:" and the name of a credential'):
        located(f"credential:{name}")


@pytest.mark.parametrize("path", ["/etc/a\0b", "credential:a\0b", "\0"])
def test_no_path_holds_a_nul_character(path: str) -> None:
    """The system's own complaint would not say whose it is."""
    with pytest.raises(ValueError, match="cannot hold a NUL character"):
        located(path)


def test_one_that_is_missing(credentials: Path) -> None:
    """It is said what the unit lacks."""
    with pytest.raises(ValueError, match="LoadCredential=other:FILE") as caught:
        located("credential:other")
    assert str(caught.value) == (
        f'there is no credential "other" in {credentials}: add LoadCredential=other:FILE to the unit'
    )


def test_one_that_cannot_be_read(credentials: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is none, or another user's: the reason is the system's."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", f"{credentials}/backend")
    with pytest.raises(ValueError, match="cannot be used: Not a directory"):
        located("credential:smtp")


def test_outside_of_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """`healthd config check` in a shell: it is said how to see what the service sees."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ValueError, match=r"CREDENTIALS_DIRECTORY=/run/credentials/healthd\.service"):
        located("credential:smtp")


def test_a_check_reads_it(credentials: Path) -> None:
    """Wherever an option of a check is a file; what is wrong is said of the option."""
    del credentials
    assert Http(user="a", password_file="credential:backend") == Http(user="a", password_file="credential:backend")
    with pytest.raises(OptionError, match="there is no credential") as caught:
        Http(user="a", password_file="credential:other")
    assert caught.value.option == "password_file"
    with pytest.raises(OptionError, match="there is no credential"):
        Http(tls=True, ca_file="credential:ca")
