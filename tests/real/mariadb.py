"""MariaDB, from Debian's mariadb-server, with a folder of its own for each server."""

from __future__ import annotations

from pathlib import Path

from tests.real.programs import Program
from tests.real.unprivileged import copied, give, run, unprivileged
from tests.support.ports import free_port

PASSWORD = "open sesame"

_USERS = f"""
CREATE USER native@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';
INSTALL SONAME 'auth_ed25519';
CREATE USER ed25519@'127.0.0.1' IDENTIFIED VIA ed25519 USING PASSWORD('{PASSWORD}');
CREATE USER open@'127.0.0.1';
CREATE DATABASE shop;
CREATE TABLE shop.pages (name text, visits int);
INSERT INTO shop.pages VALUES ('start', 42), ('imprint', NULL);
GRANT SELECT ON shop.* TO native@'127.0.0.1', ed25519@'127.0.0.1', open@'127.0.0.1';
"""


class MariaDb(Program):
    """`certificate` is a file with its key; `options` are more of mariadbd's."""

    def __init__(self, folder: Path, certificate: Path, *options: str) -> None:
        folder.mkdir()
        give(folder, 0o755)
        self.folder, self._socket, port = folder, folder / "socket", free_port()
        data, key = folder / "data", copied(certificate, folder)
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db", "--skip-name-resolve"]
        run([*install, "--auth-root-authentication-method=normal"])
        mariadbd = [
            "mariadbd",
            "--no-defaults",
            f"--datadir={data}",
            f"--socket={self._socket}",
            f"--pid-file={folder}/pid",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            f"--ssl-cert={key}",
            f"--ssl-key={key}",
            "--innodb-buffer-pool-size=16M",
            "--innodb-flush-log-at-trx-commit=0",
            "--log-warnings=9",
            *options,
        ]
        super().__init__(unprivileged(mariadbd), folder, port=port)

    def fill(self) -> None:
        """The users, named after how they log in, and a table; the server must be running."""
        self.sql(_USERS)

    def sql(self, text: str) -> str:
        client = ["mariadb", "--no-defaults", f"--socket={self._socket}", "--user=root", "--batch"]
        return run([*client, "--skip-ssl"], text)  # for a client of 11.4 and newer trusts no certificate by itself
