import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from checkers import BUILTIN
from checkers.base import Checker, Outcome, Target, passed
from checkers.command import Command
from checkers.registry import PluginError, find, kinds, summary
from checkers.tcp import Tcp
from tests.checkers.asking import ask

PLUGIN = """
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from checkers.base import Checker, Outcome, Target, passed


@dataclass(frozen=True, kw_only=True)
class Plain(Checker):
    '''Passes always.

    More is not said.
    '''

    needs_port: ClassVar[bool] = False
    answer: str = "first"

    async def check(self, target: Target) -> Outcome:
        return passed("MINE", self.answer)
"""

HEAD = PLUGIN.partition("@dataclass")[0]


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "mine.py").write_text(PLUGIN)
    return folder


def refusal(kind: str, plugin_dir: Path | None) -> str:
    with pytest.raises(PluginError) as caught:
        find(kind, plugin_dir)
    return str(caught.value)


def install(folder: Path, entries: str) -> None:
    """A tiny distribution, as pip would leave it there."""
    info = folder / "healthd_tiny-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: healthd-tiny\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[healthd.checkers]\n{entries}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on sys.path."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_built_in_kinds() -> None:
    """Every built-in name leads to its class, without any plugin_dir."""
    assert [find(kind, None).__module__ for kind in BUILTIN] == [where.split(":")[0] for where in BUILTIN.values()]
    assert (find("tcp", None), find("command", None)) == (Tcp, Command)


async def test_a_file_in_plugin_dir(plugins: Path) -> None:
    """`module:Class` is the class in plugin_dir/module.py."""
    outcome = await ask(find("mine:Plain", plugins)(), Target(address="127.0.0.1"))
    assert (outcome.code, outcome.detail) == ("MINE", "first")


def test_loading_leaves_no_trace(plugins: Path) -> None:
    """sys.path stays as it is, the module's public name stays free, and nothing is written into plugin_dir."""
    before = list(sys.path)
    find("mine:Plain", plugins)
    assert sys.path == before
    assert "mine" not in sys.modules
    assert [path.name for path in plugins.iterdir()] == ["mine.py"]


async def test_a_package_in_plugin_dir(tmp_path: Path) -> None:
    """A folder with an __init__.py is a module too, and its files find each other."""
    package = tmp_path / "both"
    package.mkdir()
    (package / "__init__.py").write_text("from .inner import Plain\n")
    (package / "inner.py").write_text(PLUGIN)
    outcome = await ask(find("both:Plain", tmp_path)(), Target(address="127.0.0.1"))
    assert outcome.detail == "first"


def test_unchanged_source_is_the_same_class(plugins: Path) -> None:
    """A reload of an unchanged plugin gives equal checks, so their servers keep their state."""
    assert find("mine:Plain", plugins) is find("mine:Plain", plugins)
    assert find("mine:Plain", plugins)() == find("mine:Plain", plugins)()


async def test_changed_source_is_loaded_anew(plugins: Path) -> None:
    """Even a change within the same second that keeps the length counts, and the old class goes on working."""
    old = find("mine:Plain", plugins)
    (plugins / "mine.py").write_text(PLUGIN.replace("first", "other"))
    new = find("mine:Plain", plugins)
    target = Target(address="127.0.0.1")
    assert [(await ask(checker(), target)).detail for checker in (old, new)] == ["first", "other"]


def test_no_such_kind() -> None:
    """The nearest name is offered, and all are listed."""
    known = 'Each is in `healthd probe --list`, or is "module:Class" from plugin_dir'
    assert refusal("tpc", None) == f'no check kind "tpc"; did you mean "tcp"? {known}'
    assert refusal("zzz", None) == f'no check kind "zzz". {known}'


def test_no_such_module(plugins: Path) -> None:
    """The paths tried are named."""
    assert refusal("other:Plain", plugins) == (
        f'check kind "other:Plain": not found in plugin_dir: '
        f"neither {plugins}/other.py nor {plugins}/other/__init__.py exists"
    )
    assert refusal("mine:Plain", None) == 'check kind "mine:Plain": there is no plugin_dir to look for mine.py in'


@pytest.mark.parametrize(
    "kind", ["../mine:Plain", "a.b:Plain", "/etc/passwd:X", "mine:", ":Plain", "a:b:c", "mine:Pla in"]
)
def test_no_way_out_of_plugin_dir(kind: str, plugins: Path) -> None:
    """Only plain names are looked for."""
    assert (
        refusal(kind, plugins) == f'check kind "{kind}": write "module:Class", two plain names without dots or slashes'
    )


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("\nimport no_such_library\n", "ModuleNotFoundError: No module named 'no_such_library' ({file}:2)"),
        ("x = 1\ny = x / 0\n", "ZeroDivisionError: division by zero ({file}:2)"),
        ("def f():\n    raise ValueError('no good')\nf()\n", "ValueError: no good ({file}:2)"),
        ("import json\n\njson.loads('')\n", "JSONDecodeError: Expecting value: line 1 column 1 (char 0) ({file}:3)"),
        ("def f(:\n", "SyntaxError: invalid syntax ({file}:1)"),
        ("raise SystemExit(3)\n", "SystemExit: 3 ({file}:1)"),
        (HEAD + "@dataclass\nclass Plain(Checker):\n    pass\n",
         "TypeError: cannot inherit non-frozen dataclass from a frozen one ({file}:10)"),
    ],
)  # fmt: skip
def test_a_module_that_cannot_be_imported(source: str, text: str, plugins: Path) -> None:
    """The exception, its text, and the line of the plugin; nothing half imported stays behind."""
    file = plugins / "mine.py"
    file.write_text(source)
    expected = f'check kind "mine:Plain": {file} cannot be imported: {text.format(file=file)}'
    assert refusal("mine:Plain", plugins) == expected
    assert refusal("mine:Plain", plugins) == expected  # the second time is no different
    assert not [name for name, module in sys.modules.items() if getattr(module, "__file__", None) == str(file)]


def test_a_package_whose_inside_cannot_be_imported(tmp_path: Path) -> None:
    """The line is the one inside that failed."""
    package = tmp_path / "both"
    package.mkdir()
    (package / "__init__.py").write_text("from .inner import Plain\n")
    (package / "inner.py").write_text("\n\nraise RuntimeError('inside')\n")
    assert refusal("both:Plain", tmp_path).endswith(f"cannot be imported: RuntimeError: inside ({package}/inner.py:3)")


def test_a_module_without_the_class(plugins: Path) -> None:
    """What the module has instead is named."""
    file = plugins / "mine.py"
    assert refusal("mine:Plane", plugins) == f'check kind "mine:Plane": no class Plane in {file}; it has Plain'
    file.write_text("x = 1\n")
    assert refusal("mine:Plain", plugins).endswith(f"no class Plain in {file}; it has no checker at all")


CONTRACT = "`async def check(self, target: Target) -> Outcome`"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Plain = 3\n", "must be a class derived from checkers.base.Checker, but it is 3"),
        ("class Plain:\n    pass\n", "must be a class derived from checkers.base.Checker, but it is <class '"),
        (HEAD + "class Plain(Checker): ...\n", "the class must stand under @dataclass(frozen=True, kw_only=True)"),
        (PLUGIN.partition("    async def")[0], f"the class must have its own {CONTRACT}"),
        (PLUGIN.replace("async def", "def"), f"the class must have its own {CONTRACT}"),
        (PLUGIN.replace("self, target: Target", "self"), f"check takes (self) -> 'Outcome'; it must be {CONTRACT}"),
    ],
)  # fmt: skip
def test_a_class_of_the_wrong_shape(source: str, text: str, plugins: Path) -> None:
    """What a checker must have and this one has not, before it is ever run."""
    (plugins / "mine.py").write_text(source)
    assert refusal("mine:Plain", plugins).startswith(f'check kind "mine:Plain", {plugins}/mine.py: {text}')


async def test_an_installed_entry_point(site: Path) -> None:
    """An installed distribution's kind has a name of its own and is listed; a built-in name it cannot take."""
    (site / "tiny_one.py").write_text(PLUGIN)
    install(site, "tiny = tiny_one:Plain\ntcp = tiny_one:Plain")
    outcome = await ask(find("tiny", None)(), Target(address="127.0.0.1"))
    assert outcome.detail == "first"
    assert find("tcp", None) is Tcp
    listed = kinds()
    assert list(listed) == sorted([*BUILTIN, "tiny"])
    assert (listed["tcp"], summary(listed["tiny"])) == (Tcp, "Passes always.")
    assert 'did you mean "tiny"?' in refusal("tinny", None)


def test_broken_entry_points(site: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each is told with its distribution; in the list of kinds they are missing, with a warning, and spoil nothing."""
    (site / "tiny_two.py").write_text("\nraise OSError('broken')\n")
    (site / "tiny_three.py").write_text("Plain = 3\n")
    install(site, "bad = tiny_two:Plain\ngone = tiny_four:Plain\nlost = tiny_three:Plane\nwrong = tiny_three:Plain")

    def said(name: str, value: str, text: str) -> str:
        return f'check kind "{name}", entry point "{value}" of healthd-tiny 1.2: {text}'

    expected = [
        said("bad", "tiny_two:Plain", f"cannot be loaded: OSError: broken ({site}/tiny_two.py:2)"),
        said("gone", "tiny_four:Plain", "cannot be loaded: ModuleNotFoundError: No module named 'tiny_four'"),
        said(
            "lost", "tiny_three:Plane", "cannot be loaded: AttributeError: module 'tiny_three' has no attribute 'Plane'"
        ),
        said("wrong", "tiny_three:Plain", "must be a class derived from checkers.base.Checker, but it is 3"),
    ]
    assert [refusal(name, None) for name in ("bad", "gone", "lost", "wrong")] == expected
    with caplog.at_level(logging.WARNING):
        assert kinds() == {name: find(name, None) for name in sorted(BUILTIN)}
    assert caplog.messages == expected


def test_summary() -> None:
    """The first line of the docstring; what dataclass writes in its absence is none."""

    @dataclass(frozen=True, kw_only=True)
    class Silent(Checker):
        async def check(self, target: Target) -> Outcome:
            return passed("MINE", target.where)

    assert summary(Silent) == ""
    assert all(summary(find(name, None)).endswith(".") for name in BUILTIN)
