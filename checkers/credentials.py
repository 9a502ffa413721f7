"""Secrets that a service manager passes on: `credential:NAME` stands for a file of systemd's LoadCredential=.

systemd.exec(5), "Credentials": the files are in the folder that the environment variable CREDENTIALS_DIRECTORY names,
readable by the service alone.
"""

import os
import re
from pathlib import Path

PREFIX = "credential:"

_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,255}")


def located(path: str) -> str:
    """The path of the file that is meant: `path` itself, or the credential's.

    Raises:
        ValueError: there is no such credential here, or can be no such file; the text says what to do.

    """
    if "\0" in path:
        raise ValueError("cannot hold a NUL character: no path does")
    if not path.startswith(PREFIX):
        return path
    name = path.removeprefix(PREFIX)
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise ValueError(f'expected "{PREFIX}" and the name of a credential, such as "{PREFIX}smtp"')
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise ValueError(
            f'"{path}" is for a service that systemd gives credentials to (LoadCredential={name}:FILE), and this '
            "process has none; beside the running service: CREDENTIALS_DIRECTORY=/run/credentials/healthd.service"
        )
    file = Path(folder, name)
    try:
        file.stat()
    except FileNotFoundError:
        text = f'there is no credential "{name}" in {folder}: add LoadCredential={name}:FILE to the unit'
        raise ValueError(text) from None
    except OSError as error:
        raise ValueError(f'the credential "{name}" in {folder} cannot be used: {error.strerror}') from error
    return str(file)
