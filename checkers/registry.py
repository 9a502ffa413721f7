"""From the word after `type =` to the class behind it: a built-in kind, an installed one, or a file of the user's.

Rules:

1. A built-in name wins over an installed entry point of the same name.
2. `module:Class` means `module.py` or the package `module/` in plugin_dir, and nothing else: sys.path is neither
   searched nor changed, so a plugin cannot shadow a library.
3. The same source gives the same class, so a reload keeps the state of unchanged checks; changed source is loaded anew.
4. Whatever is wrong with a plugin leaves here as a `PluginError` whose text is written for the plugin's author.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import importlib
import importlib.machinery
import importlib.util
import inspect
import logging
import re
import sys
import traceback
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from checkers import BUILTIN
from checkers.base import Checker

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

log = logging.getLogger(__name__)

GROUP = "healthd.checkers"
"""The entry point group that an installed distribution names its checkers in."""

PLUGIN = re.compile(r"(?P<module>[A-Za-z_]\w*):(?P<name>[A-Za-z_]\w*)", re.ASCII)


class PluginError(ValueError):
    """There is no checker for a kind, or it cannot be used; the text says which, where, and what to do."""


def find(kind: str, plugin_dir: Path | None) -> type[Checker]:
    """The checker class that `kind` names.

    Raises:
        PluginError: no such kind; or its module is not found, fails to import, lacks the class, or has the wrong shape.

    """
    if kind in BUILTIN:
        return _built_in(kind)
    if ":" in kind:
        return _from_directory(kind, plugin_dir)
    installed = _entry_points()
    if kind in installed:
        return _from_entry_point(installed[kind])
    known = sorted({*BUILTIN, *installed})
    near = difflib.get_close_matches(kind, known, 1)
    guess = f'; did you mean "{near[0]}"?' if near else "."
    where = 'Each is in `healthd probe --list`, or is "module:Class" from plugin_dir'
    raise PluginError(f'no check kind "{kind}"{guess} {where}')


def kinds() -> dict[str, type[Checker]]:
    """Every kind that has a name of its own: built-in and installed. A broken installed one is logged and left out."""
    found: dict[str, type[Checker]] = {}
    for name, entry in _entry_points().items():
        try:
            found[name] = _from_entry_point(entry)
        except PluginError as error:
            log.warning("%s", error)
    return dict(sorted((found | {name: _built_in(name) for name in BUILTIN}).items()))


def summary(kind: type[Checker]) -> str:
    """The first line of its docstring, empty without one."""
    text = inspect.cleandoc(kind.__doc__ or "")
    written_by_dataclass = text.startswith(f"{kind.__name__}(")
    return "" if written_by_dataclass else text.partition("\n")[0]


def _built_in(kind: str) -> type[Checker]:
    module, _, name = BUILTIN[kind].partition(":")
    found: type[Checker] = getattr(importlib.import_module(module), name)
    return found


def _entry_points() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - takes longer to import than all of healthd --help

    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _from_entry_point(entry: EntryPoint) -> type[Checker]:
    owner = f" of {entry.dist.name} {entry.dist.version}" if entry.dist else ""
    what = f'check kind "{entry.name}", entry point "{entry.value}"{owner}'
    try:
        found = entry.load()
    except (Exception, SystemExit) as error:  # somebody else's code: anything can come out of it
        raise PluginError(f"{what}: cannot be loaded: {_described(error)}") from error
    return _shaped(found, what)


def _from_directory(kind: str, plugin_dir: Path | None) -> type[Checker]:
    match = PLUGIN.fullmatch(kind)
    if match is None:
        raise PluginError(f'check kind "{kind}": write "module:Class", two plain names without dots or slashes')
    if plugin_dir is None:
        raise PluginError(f'check kind "{kind}": there is no plugin_dir to look for {match["module"]}.py in')
    file, sources = _sources(kind, match["module"], plugin_dir)
    module = _load(kind, match["module"], file, sources)
    if match["name"] not in vars(module):
        classes = sorted(name for name, value in vars(module).items() if _defined_here(value, module))
        has = f"it has {', '.join(classes)}" if classes else "it has no checker at all"
        raise PluginError(f'check kind "{kind}": no class {match["name"]} in {file}; {has}')
    return _shaped(vars(module)[match["name"]], f'check kind "{kind}", {file}')


def _sources(kind: str, module: str, plugin_dir: Path) -> tuple[Path, list[Path]]:
    """The file that is the module, and all files of which it may be made."""
    single, package = plugin_dir / f"{module}.py", plugin_dir / module
    try:
        if single.is_file():
            return single, [single]
        if (package / "__init__.py").is_file():
            return package / "__init__.py", sorted(package.rglob("*.py"))
    except OSError as error:
        raise PluginError(f'check kind "{kind}": cannot look into plugin_dir: {error}') from error
    raise PluginError(
        f'check kind "{kind}": not found in plugin_dir: neither {single} nor {package}/__init__.py exists'
    )


class _FreshLoader(importlib.machinery.SourceFileLoader):
    """Compiles the source itself: compiled files are told apart by whole seconds, and plugin_dir is not for writing."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - importlib's signature
        path = self.path
        return self.source_to_code(self.get_data(path), path)


def _load(kind: str, module: str, file: Path, sources: list[Path]) -> ModuleType:
    """The module, under a private name that holds a digest of its source; it stays in sys.modules under it."""
    try:
        texts = b"".join(source.read_bytes() for source in sources)
    except OSError as error:
        raise PluginError(f'check kind "{kind}": cannot be read: {error}') from error
    name = f"_healthd_plugin_{module}_{hashlib.sha256(bytes(file) + texts).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    folder = [str(file.parent)] if file.name == "__init__.py" else None
    loader = _FreshLoader(name, str(file))
    spec = importlib.util.spec_from_file_location(name, file, loader=loader, submodule_search_locations=folder)
    if spec is None:
        raise PluginError(f'check kind "{kind}": {file} is no Python module')
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded  # before it runs: dataclasses look their module up there
    try:
        loader.exec_module(loaded)
    except (Exception, SystemExit) as error:  # somebody else's code: anything can come out of it
        for half in [n for n in sys.modules if n == name or n.startswith(f"{name}.")]:
            del sys.modules[half]
        raise PluginError(f'check kind "{kind}": {file} cannot be imported: {_described(error)}') from error
    return loaded


def _described(error: BaseException) -> str:
    """`ValueError: text (file:line)`: the last line of the traceback that lies beside the module that was loaded."""
    kind = type(error).__name__
    if isinstance(error, SyntaxError):
        return f"{kind}: {error.msg} ({error.filename}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    foreign = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    beside = [frame for frame in foreign if Path(frame.filename).parent == Path(foreign[0].filename).parent]
    place = f" ({beside[-1].filename}:{beside[-1].lineno})" if beside else ""
    return f"{kind}: {error}{place}"


def _defined_here(value: object, module: ModuleType) -> bool:
    return isinstance(value, type) and issubclass(value, Checker) and value.__module__ == module.__name__


def _shaped(found: object, what: str) -> type[Checker]:
    """`found`, if it has the shape of a checker."""
    if not (isinstance(found, type) and issubclass(found, Checker)):
        raise PluginError(f"{what}: must be a class derived from checkers.base.Checker, but it is {found!r}")
    parameters = vars(found).get("__dataclass_params__")
    if parameters is None or not dataclasses.is_dataclass(found):
        raise PluginError(f"{what}: the class must stand under @dataclass(frozen=True, kw_only=True)")
    wanted = "async def check(self, target: Target) -> Outcome"
    if found.check is Checker.check or not inspect.iscoroutinefunction(found.check):
        raise PluginError(f"{what}: the class must have its own `{wanted}`")
    signature = inspect.signature(found.check)
    try:
        signature.bind(None, None)
    except TypeError:
        raise PluginError(f"{what}: check takes {signature}; it must be `{wanted}`") from None
    return found
