"""News, from Debian's inn2: its daemon for readers, with logins and TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, Target
from checkers.nntp import Nntp
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.real.programs import Program, through_faults
from tests.real.unprivileged import copied, give, reachable_folder, run, unprivileged
from tests.support.ports import free_port

BIN = Path("/usr/lib/news/bin")
PASSWORDS = "probe:he0Ob1UJDirEk\n"  # crypt(3) of "sesame"

FILES = {
    "inn.conf": """\
domain: example.com
pathhost: news.example.com
mta: "/bin/false %s"
hismethod: hisv6
ovmethod: tradindexed
enableoverview: true
nnrpdloadlimit: 0
runasuser: {user}
runasgroup: {group}
pathnews: /usr/lib/news
pathdb: {folder}
pathetc: {folder}
pathlog: {folder}
pathrun: {folder}
pathspool: {folder}
pathtmp: {folder}
tlscertfile: {certificate}
tlskeyfile: {certificate}
""",
    "readers.conf": """\
auth "probe" {{
  hosts: "127.0.0.1"
  auth: "ckpasswd -f {folder}/passwords"
}}
access "probe" {{
  users: "*"
  newsgroups: "*"
  access: "R"
}}
""",
    "storage.conf": "method tradspool {{\n  newsgroups: *\n  class: 0\n}}\n",
    "active": "example.health 0000000000 0000000001 n\n",
    "newsgroups": "example.health\tWhat checks read\n",
    "active.times": "",
    "history": "",
    "passwords": PASSWORDS,
}

Options = dict[str, Any]


class Nnrpd(Program):
    """With one newsgroup, example.health, for who has logged in."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        folder.mkdir()
        give(folder, 0o755)
        user, group = run(["id", "-un"]).strip(), run(["id", "-gn"]).strip()
        certificate = copied(certificate, folder)
        for name in ("overview", "articles"):
            (folder / name).mkdir()
            give(folder / name, 0o755)
        for name, text in FILES.items():
            (folder / name).write_text(text.format(folder=folder, certificate=certificate, user=user, group=group))
            give(folder / name, 0o600)
        inn = f"INNCONF={folder}/inn.conf"
        run(["env", inn, BIN / "makehistory", "-O"])
        run(["env", inn, BIN / "makedbz", "-i", "-o", "-s", "1000"])
        port = free_port()
        # By itself it would ask a privileged program for its port. For each client it asks for this machine's own name,
        # which not every machine knows; no name server is to hold it up for the 5 s that are usual.
        listen = f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr,backlog=128"
        command = ["env", inn, "RES_OPTIONS=timeout:1 attempts:1", "socat", listen, f"EXEC:{BIN}/nnrpd,nofork"]
        super().__init__(unprivileged(command), folder, port=port)

    @property
    def target(self) -> Target:
        return Target(address="127.0.0.1", port=self.port)


@pytest.fixture(scope="module")
def nnrpd(pki: Pki) -> Iterator[Nnrpd]:
    with reachable_folder() as folder, Nnrpd(folder / "inn", pki.issued("127.0.0.1")) as program:
        yield program


@pytest.fixture(scope="module")
def login(folder: Path) -> Options:
    (folder / "good").write_text("sesame\n")
    return {"user": "probe", "password_file": str(folder / "good")}


async def test_nntp_through_faults(nnrpd: Nnrpd, login: Options, pki: Pki) -> None:
    """STARTTLS, a login and a newsgroup; who has stopped refuses, and who hangs is cut off."""
    checker = Nntp(starttls=True, ca_file=pki.ca_file, group="example.health", **login)
    outcomes = await through_faults(checker, nnrpd.target, nnrpd, refused=Code.L4CON, hung=Code.L7TOUT)
    assert outcomes[0].detail.startswith('greeted with "201 news.example.com InterNetNews NNRP server INN ')
    assert outcomes[0].detail.endswith(', TLS, login as "probe", group "211 0 1 0 example.health"')


async def test_a_greeting_is_enough_without_a_login(nnrpd: Nnrpd) -> None:
    """Whether posting is allowed (200) or not (201)."""
    assert (await ask(Nntp(greeting="InterNetNews"), nnrpd.target)).code == Code.L7OK


async def test_wrong_credentials(nnrpd: Nnrpd, folder: Path) -> None:
    """L7STS with the server's reason, also for who does not log in at all."""
    (folder / "bad").write_text("barley\n")
    wrong = await ask(Nntp(user="probe", password_file=str(folder / "bad")), nnrpd.target)
    assert str(wrong) == 'L7STS login as "probe": answered "481 Authentication failed"; expected 281'
    nobody = await ask(Nntp(group="example.health"), nnrpd.target)
    assert str(nobody) == (
        'L7STS group "example.health": answered "480 Authentication required for command"; expected 211'
    )


async def test_wrong_content(nnrpd: Nnrpd, login: Options) -> None:
    """A newsgroup that it does not have."""
    outcome = await ask(Nntp(group="example.nothing", **login), nnrpd.target)
    assert str(outcome) == ('L7STS group "example.nothing": answered "411 No such group example.nothing"; expected 211')


async def test_an_expired_certificate(pki: Pki) -> None:
    """L6RSP, in OpenSSL's words."""
    expired = pki.issued("127.0.0.1", expired=True)
    with reachable_folder() as folder, Nnrpd(folder / "inn", expired) as nnrpd:
        outcome = await ask(Nntp(starttls=True, ca_file=pki.ca_file), nnrpd.target)
    assert str(outcome) == "L6RSP TLS handshake: certificate not accepted: certificate has expired"
