"""PostgreSQL, from Debian's postgresql: a primary and its streaming replica, with databases of their own."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.real.programs import PATIENCE, Program
from tests.real.unprivileged import copied, give, run, unprivileged
from tests.support.ports import free_port
from tests.support.processes import until

PASSWORD = "open sesame"

_SETTINGS = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
port = {port}
fsync = off
shared_buffers = 16MB
log_checkpoints = off
client_connection_check_interval = 1s
max_connections = 20
ssl = on
ssl_cert_file = '{certificate}'
ssl_key_file = '{certificate}'
"""

_ACCESS = """\
local all admin trust
local replication admin trust
host all scram 127.0.0.1/32 scram-sha-256
host all md5 127.0.0.1/32 md5
host all plain 127.0.0.1/32 password
host all trusted 127.0.0.1/32 trust
host all healthd 127.0.0.1/32 scram-sha-256
"""

_ROLES = f"""
CREATE ROLE scram LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE trusted LOGIN;
SET password_encryption = 'md5';
CREATE ROLE md5 LOGIN PASSWORD '{PASSWORD}';
CREATE TABLE pages (name text, visits int);
INSERT INTO pages VALUES ('start', 42), ('imprint', NULL);
GRANT SELECT ON pages TO PUBLIC;
"""


def binaries() -> Path:
    """Of the newest version that is installed."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


class Postgres(Program):
    """`certificate` is a file with its key. A replica is made by giving it its primary, which must be running."""

    def __init__(self, folder: Path, certificate: Path, primary: Postgres | None = None) -> None:
        folder.mkdir()
        give(folder, 0o700)
        self.folder, self._data, port = folder, folder / "data", free_port()
        if primary is None:
            initdb: list[str | Path] = [binaries() / "initdb", "-D", self._data, "-U", "admin", "-E", "UTF8"]
            run([*initdb, "--no-sync", "--no-instructions"])
            give(self._data / "pg_hba.conf", 0o600).write_text(_ACCESS)
        else:
            source: list[str | Path] = ["-h", primary.folder, "-p", str(primary.port), "-U", "admin"]
            run([binaries() / "pg_basebackup", *source, "-D", self._data, "-R", "-c", "fast", "--no-sync"])
        settings = _SETTINGS.format(folder=folder, port=port, certificate=copied(certificate, folder))
        (self._data / "postgresql.conf").write_text(settings)
        command = unprivileged([binaries() / "postgres", "-D", self._data])
        super().__init__(command, folder, port=port, says="ready to accept")

    def fill(self) -> None:
        """The roles, named after how they log in, and a table; the server must be running."""
        self.sql(_ROLES)

    async def rest(self) -> None:
        """Returns when nobody is connected any more, and all who were are logged."""
        clients = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        await until(lambda: self.sql(clients).strip() == "1")  # who asks for it

    def sql(self, text: str) -> str:
        psql: list[str | Path] = [binaries() / "psql", "-h", self.folder, "-p", str(self.port), "-U", "admin", "-AtX"]
        return run([*psql, "-v", "ON_ERROR_STOP=1", "postgres"], text)

    def __exit__(self, *_: object) -> None:
        """Gives its shared memory back, which one that is killed leaves to the next start."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(PATIENCE)
        super().__exit__()

    def start(self) -> None:
        """Returns when it accepts connections. A lock of a process that was killed would keep it from starting."""
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        super().start()
