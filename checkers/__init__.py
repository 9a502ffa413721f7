"""The kinds of check. One file each; this table is the list of the built-in ones."""

from checkers.always import Always
from checkers.base import Checker
from checkers.command import Command
from checkers.dialog import Dialog
from checkers.dns import Dns
from checkers.http import Http, Https
from checkers.ping import Ping
from checkers.tcp import Tcp

BUILTIN: dict[str, type[Checker]] = {
    "always": Always,
    "command": Command,
    "dialog": Dialog,
    "dns": Dns,
    "http": Http,
    "https": Https,
    "ping": Ping,
    "tcp": Tcp,
}
