"""Passwords come from files of one line, or from the environment, and never stand in a configuration.

A checker reads them once, when it is made, and keeps them out of its repr.
"""

import os
import re

from checkers.base import OptionError
from checkers.tls import read_file

_ENVIRONMENT = "environment:"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_password(option: str, path: str) -> bytes:
    """The one line that is in the file, the credential, or the environment variable that `option` names.

    Raises:
        OptionError: it cannot be read, is empty, or holds more than one line.

    """
    content = _variable(option, path.removeprefix(_ENVIRONMENT)) if path.startswith(_ENVIRONMENT) else None
    password = (read_file(option, path) if content is None else content).removesuffix(b"\n").removesuffix(b"\r")
    if not password or b"\n" in password or b"\r" in password or b"\0" in password:
        raise OptionError(option, f'"{path}" must hold the password in one line, and nothing else')
    return password


def password_of(user: str | None, password_file: str | None, prefix: str = "") -> bytes:
    """The password for `user`, empty where neither is given; the options' names have `prefix` before them.

    Raises:
        OptionError: one is given without the other, or as `read_password`.

    """
    if user is None and password_file is None:
        return b""
    if user is None:
        raise OptionError(f"{prefix}password_file", f"needs {prefix}user, whose password this is")
    if password_file is None:
        raise OptionError(f"{prefix}user", f"needs {prefix}password_file, the path of a file that holds the password")
    return read_password(f"{prefix}password_file", password_file)


def _variable(option: str, name: str) -> bytes:
    if not _VARIABLE.fullmatch(name):
        message = f'expected "{_ENVIRONMENT}" and the name of a variable, such as "{_ENVIRONMENT}PROBE_PASSWORD"'
        raise OptionError(option, message)
    value = os.environb.get(name.encode())
    if value is None:
        raise OptionError(option, f"the environment variable {name} is not set in this process")
    return value
