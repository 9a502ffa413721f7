"""How what is configured gets from one process to another.

A checker travels as its kind and its options, and is made anew on the other side: what it has prepared for itself (a
TLS context, say) cannot travel, and a plugin's class has no importable name. A check that many share is sent, made and
held once.
"""

from __future__ import annotations

import dataclasses
import io
import pickle  # only between a process and its own children
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from checkers.base import Checker
from checkers.part import Part
from checkers.registry import find
from healthd.config.values import CheckConfig

Make = Callable[[str, Path, Mapping[str, Any]], Checker]
"""A checker of its kind, the plugin_dir and its options: an importable function, called on the other side."""


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, plugin_dir: Path, make: Make) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._plugin_dir = plugin_dir
        self._make = make

    def reducer_override(self, value: Any) -> Any:
        if type(value) not in (CheckConfig, Part):
            return NotImplemented
        options = {
            field.name: getattr(value.checker, field.name) for field in dataclasses.fields(value.checker) if field.init
        }
        rest = {
            field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.name != "checker"
        }
        return _again, (type(value), self._make, self._plugin_dir, options, rest)


def made(kind: str, plugin_dir: Path, options: Mapping[str, Any]) -> Checker:
    """The checker.

    Raises:
        PluginError: there is no such kind any more, or it does not load.
        OptionError: it refuses its options, such as a file that is no longer there.

    """
    return find(kind, plugin_dir)(**options)


def pickled(value: object, plugin_dir: Path, make: Make = made) -> bytes:
    """`plugin_dir` is where the other side finds the plugins, `make` what it makes the checkers by."""
    file = io.BytesIO()
    _Pickler(file, plugin_dir, make).dump(value)
    return file.getvalue()


def _again(
    holder: type[CheckConfig | Part],
    make: Make,
    plugin_dir: Path,
    options: Mapping[str, Any],
    rest: Mapping[str, Any],
) -> CheckConfig | Part:
    """The check, or the part of a combined one, again. It is called by its name in a pickle."""
    return holder(checker=make(rest["kind"], plugin_dir, options), **rest)
