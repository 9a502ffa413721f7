"""FTP, from Debian's vsftpd: logins, files, and TLS on both connections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, Status, Target
from checkers.ftp import Ftp
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.real.programs import Program, through_faults
from tests.real.unprivileged import copied, give, reachable_folder, unprivileged
from tests.support.ports import free_port
from tests.support.processes import until

PASSWORD = "probe@example.com"

CONFIGURATION = """\
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
run_as_launching_user=YES
seccomp_sandbox=NO
anonymous_enable=YES
anon_root={folder}/pub
secure_email_list_enable=YES
email_password_file={folder}/passwords
delay_failed_login=0
ftpd_banner=files of example.com
xferlog_enable=YES
dual_log_enable=YES
log_ftp_protocol=YES
xferlog_file={folder}/transfers.log
vsftpd_log_file={folder}/vsftpd.log
ssl_enable=YES
allow_anon_ssl=YES
require_ssl_reuse=YES
force_local_logins_ssl=NO
force_local_data_ssl=NO
rsa_cert_file={certificate}
{more}
"""

Options = dict[str, Any]


class Vsftpd(Program):
    """With two files for anonymous users who know a password."""

    def __init__(self, folder: Path, certificate: Path, more: str = "") -> None:
        folder.mkdir()
        give(folder, 0o755)
        (folder / "pub").mkdir()
        (folder / "pub/health.txt").write_text("all is well\n")
        (folder / "pub/large.bin").write_bytes(b"0123456789" * 200_000)
        (folder / "passwords").write_text(f"{PASSWORD}\n")
        self.log = folder / "vsftpd.log"
        port, configuration = free_port(), folder / "vsftpd.conf"
        text = CONFIGURATION.format(folder=folder, port=port, certificate=copied(certificate, folder), more=more)
        configuration.write_text(text)
        give(configuration, 0o600)
        super().__init__(unprivileged(["vsftpd", configuration]), folder, port=port)

    @property
    def target(self) -> Target:
        return Target(address="127.0.0.1", port=self.port)


@pytest.fixture(scope="module")
def vsftpd(pki: Pki) -> Iterator[Vsftpd]:
    with reachable_folder() as folder, Vsftpd(folder / "vsftpd", pki.issued("127.0.0.1")) as program:
        yield program


@pytest.fixture(scope="module")
def login(folder: Path) -> Options:
    (folder / "good").write_text(f"{PASSWORD}\n")
    return {"user": "anonymous", "password_file": str(folder / "good")}


async def test_ftp_through_faults(vsftpd: Vsftpd, login: Options, pki: Pki) -> None:
    """TLS, a login, and a file with a text in it; who has stopped refuses, and who hangs is cut off.

    vsftpd sends nothing by TLS unless the second connection resumes the session of the first.
    """
    checker = Ftp(starttls=True, ca_file=pki.ca_file, file="health.txt", expect="all is well", **login)
    outcomes = await through_faults(checker, vsftpd.target, vsftpd, refused=Code.L4CON, hung=Code.L7TOUT)
    assert outcomes[0].detail == (
        'greeted with "220 files of example.com", TLS, login as "anonymous", file "health.txt"'
    )


async def test_a_greeting_is_enough_without_a_login(vsftpd: Vsftpd) -> None:
    """And it ends with QUIT."""
    outcome = await ask(Ftp(greeting="example.com"), vsftpd.target)
    assert str(outcome) == 'L7OK greeted with "220 files of example.com"'
    await until(lambda: 'FTP command: Client "127.0.0.1", "QUIT"' in vsftpd.log.read_text())


async def test_a_file_in_the_clear(vsftpd: Vsftpd, login: Options) -> None:
    """A large one is read as far as asked, and no further."""
    assert (await ask(Ftp(file="health.txt", expect="well", **login), vsftpd.target)).code == Code.L7OK
    large = await ask(Ftp(file="large.bin", max_file=1000, expect="7890123", **login), vsftpd.target)
    assert (large.status, large.code) == (Status.PASS, Code.L7OK)


async def test_wrong_credentials(vsftpd: Vsftpd, folder: Path) -> None:
    """L7STS with the server's reason, also where the custom of anonymous users is not enough."""
    (folder / "bad").write_text("wrong@example.com\n")
    refused = 'L7STS login as "anonymous": answered "530 Login incorrect."; expected 202 or 230'
    wrong = Ftp(user="anonymous", password_file=str(folder / "bad"))
    assert str(await ask(wrong, vsftpd.target)) == refused
    assert str(await ask(Ftp(file="health.txt"), vsftpd.target)) == refused


async def test_wrong_content(vsftpd: Vsftpd, login: Options) -> None:
    """Another text in the file, or no such file; the beginning of what came is shown."""
    text = await ask(Ftp(file="health.txt", expect="on fire", **login), vsftpd.target)
    assert str(text) == r'L7RSP "on fire" is not in file "health.txt", which begins with "all is well\n"'
    part = await ask(Ftp(file="large.bin", max_file=100, expect="on fire", **login), vsftpd.target)
    assert str(part).startswith('L7RSP "on fire" is not in the first 100 bytes of "large.bin", which begins with "01')
    missing = await ask(Ftp(file="missing.txt", **login), vsftpd.target)
    assert str(missing) == 'L7STS file "missing.txt": answered "550 Failed to open file."; expected 125 or 150'


async def test_pasv_where_epsv_is_not_known(login: Options, pki: Pki) -> None:
    """The port comes from PASV; the address in its answer, here one of another network, is not believed."""
    more = "cmds_denied=EPSV\npasv_address=192.0.2.1"
    with reachable_folder() as folder, Vsftpd(folder / "vsftpd", pki.issued("127.0.0.1"), more) as vsftpd:
        outcome = await ask(Ftp(file="health.txt", expect="well", **login), vsftpd.target)
        assert re.search(r'"227 Entering Passive Mode \(192,0,2,1,', vsftpd.log.read_text())
    assert outcome.code == Code.L7OK, outcome


async def test_an_expired_certificate(pki: Pki) -> None:
    """L6RSP, in OpenSSL's words."""
    expired = pki.issued("127.0.0.1", expired=True)
    with reachable_folder() as folder, Vsftpd(folder / "vsftpd", expired) as vsftpd:
        outcome = await ask(Ftp(starttls=True, ca_file=pki.ca_file), vsftpd.target)
    assert str(outcome) == "L6RSP TLS handshake: certificate not accepted: certificate has expired"
