"""The kinds of check. One file each; this table is the list of the built-in ones."""

from checkers.always import Always
from checkers.base import Checker
from checkers.tcp import Tcp

BUILTIN: dict[str, type[Checker]] = {
    "always": Always,
    "tcp": Tcp,
}
