"""MariaDB, from Debian's mariadb-server, with a folder of its own for each server."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from tests.real.programs import Program
from tests.real.unprivileged import copied, give, run, unprivileged
from tests.support.ports import free_port
from tests.support.processes import until

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
        super().__init__(unprivileged(mariadbd), folder, port=port, says="ready for connections")

    def fill(self) -> None:
        """The users, named after how they log in, and a table; the server must be running."""
        self.sql(_USERS)

    async def interrupt(self) -> None:
        """Connects, and hangs up when it is greeted: all that connected before have been greeted then."""
        with socket.create_connection(("127.0.0.1", self.port)) as hasty:
            await asyncio.to_thread(hasty.recv, 1)

    async def rest(self) -> None:
        """Returns when nobody is connected any more, and all who were are logged and counted."""
        await until(lambda: self.sql("SHOW STATUS LIKE 'Threads_connected'").split()[-1] == "1")  # who asks for it

    def sql(self, text: str) -> str:
        client = ["mariadb", "--no-defaults", f"--socket={self._socket}", "--user=root", "--batch"]
        return run([*client, "--skip-ssl"], text)  # for a client of 11.4 and newer trusts no certificate by itself
