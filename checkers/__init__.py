"""The kinds of check. One file each; this table is the list of the built-in ones.

A kind is imported when it is first asked for, so that nobody pays for those that nobody uses.
"""

BUILTIN = {
    "always": "checkers.always:Always",
    "command": "checkers.command:Command",
    "dialog": "checkers.dialog:Dialog",
    "dns": "checkers.dns:Dns",
    "http": "checkers.http:Http",
    "https": "checkers.http:Https",
    "ping": "checkers.ping:Ping",
    "tcp": "checkers.tcp:Tcp",
}
