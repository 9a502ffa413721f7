"""The list of the kinds of check, and the page of one."""

import subprocess
import sys

import pytest

from checkers import BUILTIN
from checkers.dns import Dns
from checkers.registry import find
from healthd.cli import kindpages
from healthd.cli.terminal import Page

WIDE = Page(79, lambda text, _: text)
PIPED = Page(100_000, lambda text, _: text, repeats=True)


def test_every_built_in_kind_is_in_one_group() -> None:
    """A new kind is put where people look for it."""
    grouped = [name for names in kindpages.GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(BUILTIN) - set(grouped) == set()


def test_the_list_is_grouped_on_a_terminal() -> None:
    """Headings, the kinds below them, and nothing wider than the terminal."""
    shown = list(kindpages.list_lines(WIDE))
    assert max(map(len, shown)) <= 79
    headings = [line for line in shown[1:] if not line.startswith(" ")]
    assert headings == list(kindpages.GROUPS)
    web = shown[shown.index("Web") + 1 : shown.index("Mail and news")]
    assert web[0].startswith("  http ")
    named = {line.split()[0] for line in shown[1:] if line.startswith("  ") and line[2] != " "}
    assert named == set(BUILTIN)


def test_the_list_is_sorted_for_another_program() -> None:
    """One line for each kind, in the order of their names, and no headings."""
    shown = list(kindpages.list_lines(PIPED))
    assert [line.split()[0] for line in shown] == ["KIND", *sorted(BUILTIN)]


@pytest.mark.parametrize("kind", BUILTIN)
def test_the_page_of_a_kind_fits(kind: str) -> None:
    """What it does in its paragraphs, then a line for each option that it takes."""
    shown = list(kindpages.kind_lines(kind, find(kind, None), WIDE))
    assert max(map(len, shown)) <= 79
    assert shown[0].startswith(f"{kind}: ")
    assert any(line.split()[0] == "address" for line in shown if line)


def test_options_stand_in_groups() -> None:
    """The kind's own first, those of TLS, and last those that every check has."""
    shown = list(kindpages.kind_lines("dns", Dns, WIDE))
    headings = [line for line in shown if line in {kindpages.OWN, "TLS", "Where to ask"}]
    assert headings == [kindpages.OWN, "TLS", "Where to ask"]
    own = shown[shown.index(kindpages.OWN) + 1]
    assert own.split() == ["name", '"."', "string"]


@pytest.mark.parametrize(("kind", "port"), [("imaps", "993"), ("sip", "5060"), ("agent", None)])
def test_the_port_that_is_asked_is_shown(kind: str, port: str | None) -> None:
    """It is the kind's own, where it has one, unless the address or the option names another."""
    shown = [line.split() for line in kindpages.kind_lines(kind, find(kind, None), WIDE)]
    assert ["port", *([port] if port else []), "integer"] in shown


WITHOUT_EXTRAS = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"aioquic", "apprise", "oracledb", "pg8000", "pyasn1", "pymysql", "pyrad"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from healthd.cli import kindpages
from healthd.cli.terminal import Page

page = Page(79, lambda text, _: text, repeats=True)
print(*(line.split()[0] for line in list(kindpages.list_lines(page))[1:] if not line.startswith(" ")))
"""


def test_a_library_that_is_not_installed_leaves_no_kind_out() -> None:
    """Extras are needed by who uses them, not to list what there is."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_EXTRAS], capture_output=True, text=True, check=True)
    assert done.stdout.split() == sorted(BUILTIN)
