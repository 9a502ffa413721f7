from __future__ import annotations

from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from healthd.config.positions import KeyPath, lines

NUMBERED = """\
top = 1
[a]                                 # 2
x = 1
"quoted key" = 2
'lit.eral' = 3
dotted.in.side = 4
[b.c]                               # 7
multi = \"\"\"
[not.a.table]
y = 1 \\\"\"\" "" \"\"\"\"\"
after = 1                           # 11
lit = '''
# no comment [x]
''''
end = 1                             # 15
array = [1,
  [2, 3],                           # 17
  { k = "},]", l.m = [              # 18
    4 ] },
  "x]",                             # 20
]
inline = { p = 1, q = { r = 2 }, s = [] } # 22
date = 1979-05-27 07:32:00
float = -1.5e3
last = "a = 1"                      # 25
[[s]]                               # 26
n = 1
[s.sub]                             # 28
o = 1
[[s.deep]]                          # 30
[[s.deep]]
t = 1                               # 32
[[s]]
n = 2                               # 34
[[s.deep]]
u = 1                               # 36
[s.sub]
[ spaced . "out" ]                  # 38
v = 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 1),
        (("a",), 2),
        (("a", "quoted key"), 4),
        (("a", "lit.eral"), 5),
        (("a", "dotted", "in", "side"), 6),
        (("a", "dotted", "in"), 6),
        (("b",), 7),
        (("b", "c"), 7),
        (("b", "c", "multi"), 8),
        (("b", "c", "after"), 11),
        (("b", "c", "lit"), 12),
        (("b", "c", "end"), 15),
        (("b", "c", "array"), 16),
        (("b", "c", "array", 0), 16),
        (("b", "c", "array", 1), 17),
        (("b", "c", "array", 1, 1), 17),
        (("b", "c", "array", 2, "k"), 18),
        (("b", "c", "array", 2, "l", "m"), 18),
        (("b", "c", "array", 2, "l", "m", 0), 19),
        (("b", "c", "array", 3), 20),
        (("b", "c", "inline", "q", "r"), 22),
        (("b", "c", "inline", "s"), 22),
        (("b", "c", "date"), 23),
        (("b", "c", "float"), 24),
        (("b", "c", "last"), 25),
        (("s", 0), 26),
        (("s", 0, "n"), 27),
        (("s", 0, "sub"), 28),
        (("s", 0, "sub", "o"), 29),
        (("s", 0, "deep", 0), 30),
        (("s", 0, "deep", 1), 31),
        (("s", 0, "deep", 1, "t"), 32),
        (("s", 1), 33),
        (("s", 1, "n"), 34),
        (("s", 1, "deep", 0, "u"), 36),
        (("s", 1, "sub"), 37),
        (("spaced", "out", "v"), 39),
    ],
)
def test_a_key_stands_in_the_line_where_it_begins(path: KeyPath, line: int) -> None:
    """Tables, arrays of tables, inline tables, dotted and quoted keys, and strings over several lines are followed."""
    assert lines(NUMBERED)[path] == line


def test_strings_keys_and_comments_make_no_keys() -> None:
    """Nothing is found but what the parser finds too."""
    assert set(lines(NUMBERED)) == set(paths(tomli.loads(NUMBERED)))


def test_a_table_stands_where_it_is_opened_not_where_it_is_first_mentioned() -> None:
    """[a.b] before [a] does not make the first the place of a."""
    assert lines("[a.b]\nx = 1\n[a]\ny = 1\n")[("a",)] == 3


def paths(data: Any, path: KeyPath = ()) -> list[KeyPath]:
    """The path of everything in parsed data."""
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    found: list[KeyPath] = []
    for key, value in parts:
        found += [(*path, key), *paths(value, (*path, key))]
    return found


WORDS = st.text(alphabet="[]{}=,.\"'#\n abc1\\-", max_size=60)


def compare(text: str) -> None:
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError:
        return
    found = lines(text)
    assert set(found) == set(paths(data))
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())


@given(WORDS)
def test_whatever_parses_has_all_its_keys_found(text: str) -> None:
    """For every text that tomli takes, the keys found are the keys there are, each in a line of the text."""
    compare(text)


VALUES = st.sampled_from(
    ["1", '"x"', "[]", "{}", '["a", [1], {b = 1}]', "{ a.b = 1, c = [2,\n 3] }", '"""\n[x]\n"""', "'''a'b'''", "1.5"]
)
KEYS = st.sampled_from(["a", "b", "a.b", '"q.r"', "'s t'", "c . d"])
STATEMENTS = st.one_of(
    st.builds("{} = {}".format, KEYS, VALUES),
    st.builds("[{}]".format, KEYS),
    st.builds("[[{}]] # [x]".format, KEYS),
)


@given(st.lists(STATEMENTS, max_size=8))
def test_documents_of_many_forms_have_all_their_keys_found(statements: list[str]) -> None:
    """The same for texts that are made of what TOML is made of."""
    compare("\n".join(statements))
