"""Libraries that are optional extras."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from checkers.base import OptionError
from checkers.http3 import Http3
from checkers.ldap import Ldap
from checkers.mysql import Mysql
from checkers.oracle import Oracle
from checkers.postgres import Postgres
from checkers.radius import Radius


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`without(library, *ours)`: it is as if it were not installed, and our modules had not asked for it yet."""

    def absent(library: str, *ours: str) -> None:
        for name in ours:
            monkeypatch.delitem(sys.modules, name, raising=False)
        for name in [name for name in sys.modules if name.partition(".")[0] == library]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, library, None)

    return absent


@pytest.fixture
def secret(tmp_path: Path) -> str:
    (tmp_path / "secret").write_text("open sesame\n")
    return str(tmp_path / "secret")


def complaint(kind: type, **options: Any) -> str:
    with pytest.raises(OptionError) as error:
        kind(**options)
    assert error.value.option == "type"
    return str(error.value)


def test_an_absent_library_is_named_with_its_extra(without: Any, secret: str) -> None:
    """When the configuration is read, not when the check runs."""
    without("pg8000", "checkers.postgres_session")
    without("pymysql", "checkers.mysql_session")
    without("pyrad", "checkers.radius_wire")
    without("aioquic", "checkers.http3_exchange", "checkers.http3_trust")
    without("pyasn1", "checkers.ldap_talk", "checkers.ldap_wire", "checkers.ldap_answer")
    said = "needs {}, which is not installed here: pip install 'healthd[{}]'"
    assert complaint(Postgres, user="probe") == said.format("pg8000", "postgres")
    assert complaint(Mysql, user="probe") == said.format("pymysql", "mysql")
    assert complaint(Http3) == said.format("aioquic", "http3")
    assert complaint(Ldap) == said.format("pyasn1", "ldap")
    assert complaint(Radius, user="x", password_file=secret, secret_file=secret) == said.format("pyrad", "radius")


def test_an_absent_oracledb(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """It is looked for without being imported, which takes half a second."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    said = complaint(Oracle, service="shop", user="probe", password_file=secret)
    assert said == "needs oracledb, which is not installed here: pip install 'healthd[oracle]'"


def test_what_needs_no_library(without: Any) -> None:
    """A handshake, and LDAP, are there without any extra."""
    without("pg8000", "checkers.postgres_session")
    without("pymysql", "checkers.mysql_session")
    assert Postgres().lean
    assert Mysql().lean
    assert Ldap().lean
