"""What holds for every built-in kind of check, whatever it asks."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import re
from typing import Any, get_type_hints

import pytest

from checkers import BUILTIN
from checkers.base import Checker, OptionError, Outcome, Target
from checkers.http_step import HttpStep
from checkers.part import Part
from checkers.registry import find, summary
from checkers.route import Route
from checkers.tcp import Tcp
from checkers.tls import TlsChecker
from healthd.config.options import options_of
from tests.checkers.certificates import Pki

every_kind = pytest.mark.parametrize("name", BUILTIN)

ONE_LINE = "/proc/sys/kernel/ostype"
TCP = Part(kind="tcp", checker=Tcp())

MINIMAL: dict[str, dict[str, object]] = {
    "all": {"part": (TCP,)},
    "any": {"part": (TCP,)},
    "at_least": {"part": (TCP,), "votes": 1},
    "command": {"command": ("/bin/true",)},
    "dialog": {"expect": "OK"},
    "file": {"path": "/run/maintenance"},
    "http_proxy": {"host": "www.example.com"},
    "http_session": {"steps": (HttpStep(path="/"),)},
    "oracle": {"service": "shop", "user": "probe", "password_file": ONE_LINE},
    "push": {"token_file": "/proc/sys/kernel/random/uuid"},
    "radius": {"user": "probe", "password_file": ONE_LINE, "secret_file": ONE_LINE},
}
"""The options that a kind cannot do without."""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


def make(name: str, **options: object) -> Checker:
    kind: type[Checker] = find(name, None)
    return kind(**{**MINIMAL.get(name, {}), **options})  # type: ignore[arg-type] # the fields of a kind found by name


def test_the_kinds_are_those_of_the_manual() -> None:
    """In the order of their names."""
    assert list(BUILTIN) == sorted(BUILTIN)
    assert {"tcp", "http", "dns", "dialog", "command", "ping", "always"} <= set(BUILTIN)


@every_kind
def test_a_kind_is_a_frozen_dataclass_derived_from_checker(name: str) -> None:
    """It keeps no state between calls, and is built by keyword."""
    kind = find(name, None)
    assert issubclass(kind, Checker)
    parameters = vars(kind)["__dataclass_params__"]
    assert parameters.frozen
    assert all(field.kw_only for field in dataclasses.fields(kind))
    with pytest.raises(dataclasses.FrozenInstanceError):
        make(name).address = "10.0.0.1"  # type: ignore[misc] # that is the point


@every_kind
def test_a_kind_has_one_coroutine_that_takes_a_target(name: str) -> None:
    """`async def check(self, target: Target) -> Outcome`."""
    kind = find(name, None)
    assert inspect.iscoroutinefunction(kind.check)
    assert kind.check is not Checker.check
    assert inspect.get_annotations(kind.check, eval_str=True) == {"target": Target, "return": Outcome}


@every_kind
def test_a_kind_says_what_it_does_and_when_it_passes(name: str) -> None:
    """The first line of its docstring is what `healthd probe` and the schema show."""
    assert 10 < len(summary(find(name, None))) <= 120


@every_kind
def test_equal_options_make_equal_checkers(name: str) -> None:
    """A reload compares them: what did not change goes on undisturbed."""
    assert make(name) == make(name)
    assert make(name) != make(name, address="10.0.0.9")


@every_kind
@pytest.mark.parametrize("text", ["", "\0", "a\0b", "\r\n", "é" * 300, "(", "-1", "nan", "1e999", "credential:.."])
def test_no_text_of_an_option_is_a_fault_of_the_program(name: str, text: str) -> None:
    """Each makes a checker, or is refused as one of its options."""
    kind = find(name, None)
    names = [option for option, hint in get_type_hints(kind).items() if hint in (str, str | None)]
    for option in names:
        for more in [{}, {"tls": True}] if issubclass(kind, TlsChecker) else [{}]:
            options: dict[str, Any] = {**MINIMAL.get(name, {}), **more, option: text}
            with contextlib.suppress(OptionError):
                assert isinstance(kind(**options), kind)


@every_kind
def test_every_kind_can_be_sent_elsewhere(name: str) -> None:
    """To another address than the server's, and to another port where it asks one at all."""
    assert make(name, address="10.0.0.9").address == "10.0.0.9"
    if find(name, None).needs_port:
        assert make(name, port=4711).port == 4711


@every_kind
@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_is_none_is_refused_by_name(name: str, port: int) -> None:
    """The error names the option, for the line in the configuration that it is found in."""
    with pytest.raises(OptionError) as error:
        make(name, port=port)
    assert error.value.option == "port"
    assert str(error.value) == f"must be from 1 to 65535, not {port}"


@every_kind
def test_a_repr_holds_no_password(name: str) -> None:
    """Whatever option is named like a secret stays out of the repr, which ends in logs."""
    secrets = [
        field for field in dataclasses.fields(find(name, None)) if re.search("password|secret|token", field.name)
    ]
    assert [field.name for field in secrets if field.repr and not field.name.endswith("_file")] == []


@every_kind
def test_a_kind_can_be_configured(name: str) -> None:
    """All its options are of types that a file can hold, and what else its class has is none of them."""
    kind = find(name, None)
    fields = {field.name for field in dataclasses.fields(kind) if field.init}
    assert set(options_of(kind).names) == fields


@every_kind
def test_a_kind_is_found_by_its_name(name: str) -> None:
    """The word after `type =`."""
    assert find(name, None) is find(name, None)


OWN_SOCKETS = {"always", "file", "push", "all", "any", "at_least", "oracle"}
"""The kinds that open no socket, or whose library opens them: nobody could choose their way."""


@every_kind
def test_a_kind_honours_the_way_or_refuses_it(name: str) -> None:
    """`source`, `interface` and `mark` are never taken and then not minded."""
    way = {"source": "192.0.2.1", "interface": "eth0", "mark": 42}
    if name in OWN_SOCKETS:
        with pytest.raises(OptionError, match="cannot be chosen for a check of this kind"):
            make(name, **way)
    else:
        assert make(name, **way).route == Route("192.0.2.1", "eth0", 42)


TLS_KINDS = [name for name in BUILTIN if issubclass(find(name, None), TlsChecker)]
OVER_STREAMS = {"dns": {"transport": "tcp"}, "sip": {"transport": "tcp"}}
OWN_PROTOCOL = {"grpc", "http2", "http3"}
"""Those whose protocol has one name in ALPN, which is no choice."""


def test_the_kinds_without_tls() -> None:
    """What asks by TCP can ask within TLS, but for what only connects, and what a library of its own does."""
    without = set(BUILTIN) - set(TLS_KINDS)
    assert without == (OWN_SOCKETS) | {"command", "ping", "radius", "sctp", "tcp", "udp"}


@pytest.mark.parametrize("name", TLS_KINDS)
def test_the_options_of_tls_are_the_same_everywhere(name: str, pki: Pki) -> None:
    """Each is taken, with the others."""
    mine = str(pki.issued("probe.test"))
    certificate = {"cert_file": mine, "key_file": mine}
    options = {"tls": True, "tls_name": "www.test", "tls_min": "1.3", **certificate, **OVER_STREAMS.get(name, {})}
    alpn = {} if name in OWN_PROTOCOL else {"alpn": ("x",)}
    assert isinstance(make(name, ca_file=pki.ca_file, **alpn, **options), TlsChecker)
    assert isinstance(make(name, verify=False, **options), TlsChecker)
    if not alpn:
        with pytest.raises(OptionError, match=r'is not an option here: it is "h[23]"'):
            make(name, alpn=("x",), **options)
