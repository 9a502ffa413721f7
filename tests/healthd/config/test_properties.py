"""Whatever is in the files: a configuration, or an error that says why not."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthd.config import ConfigError, load
from healthd.config.alerttables import MailTable
from healthd.config.models import HealthdTable, ServiceTable

GOOD = "\n".join(
    (Path(__file__).parents[3] / "conf.d" / name).read_text() for name in ("10-web.toml", "30-mail-fwmark.toml")
).encode()
SIGNS = rb"""" ' [ ] { } = . , \ # 0 -1 1e9 true [[ ]] "" ''' nan 1979-05-27 service check [1] {a=1} "off" """
PIECES = st.sampled_from([*SIGNS.split(), b"\xff", b"\0", b"\n"])
TABLES = st.sampled_from(["healthd", "defaults", "check.x", "service.x", "alert.x", "service.x.check", "check", "x"])
KEYS = (*get_type_hints(HealthdTable), *get_type_hints(ServiceTable), *get_type_hints(MailTable), "command", "steps")
NAMES = st.sampled_from([*KEYS, "x", "", "a b", "\n"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=10),
    st.sampled_from(["tcp", "http", "dialog", "mail", "command", "5s", "3/5", "10.0.0.1:80", "::1", "off", "wlc"]),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)

RELAXED = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def end_well(folder: Path, content: bytes) -> None:
    """A configuration, or messages of one line each that begin with the file."""
    file = folder / "c.toml"
    file.write_bytes(content)
    try:
        load(file)
    except ConfigError as error:
        messages = error.messages
    else:
        return
    assert messages
    assert all(message.startswith(f"{file}:") and "\n" not in message for message in messages)


@RELAXED
@given(st.binary(max_size=60) | st.text(alphabet="[]{}=,.\"'#\n abc1\\-", max_size=60).map(str.encode))
def test_any_bytes_end_in_a_configuration_or_messages(tmp_path: Path, content: bytes) -> None:
    """Binary rubbish, and text in the characters that TOML is made of."""
    end_well(tmp_path, content)


@RELAXED
@given(st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), PIECES), min_size=1, max_size=3))
def test_any_mistake_in_a_good_file_ends_in_messages_at_worst(
    tmp_path: Path, changes: list[tuple[int, int, bytes]]
) -> None:
    """Pieces taken out of it and put into it anywhere."""
    text = GOOD
    for at, length, piece in changes:
        text = text[:at] + piece + text[at + length :]
    end_well(tmp_path, text)


@RELAXED
@given(TABLES, st.dictionaries(NAMES, TREES, max_size=8))
def test_any_tree_of_values_ends_in_messages_at_worst(tmp_path: Path, name: str, tree: dict[str, object]) -> None:
    """Every kind of value at every key."""
    end_well(tmp_path, f"[{name}]\n{table(tree)}".encode())


def quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(c):08x}" for c in text if not 0xD800 <= ord(c) < 0xE000) + '"'


def table(tree: dict[str, object]) -> str:
    return "".join(f"{quoted(key)} = {written(value)}\n" for key, value in tree.items())


def written(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{quoted(key)} = {written(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case str():
            return quoted(value)
        case bool() | None:
            return str(bool(value)).lower()
        case _:
            return str(value)
