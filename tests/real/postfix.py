"""Postfix, from Debian's postfix, with queues and logs of its own."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from tests.checkers.certificates import Pki
from tests.real.programs import Program
from tests.support.ports import free_ports

COMMON = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {certificate}
"""

MAIN = """\
myhostname = mail.example.com
mydestination = example.com
alias_database =
local_recipient_maps = inline:{{probe=here}}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_helo_required = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl}
smtpd_sasl_auth_enable = yes
smtpd_tls_auth_only = yes
smtpd_error_sleep_time = 0
postscreen_greet_wait = 1s
postscreen_access_list =
postscreen_cache_map =
postscreen_greet_banner = be patient
"""

MASTER = """\
127.0.0.1:{smtp} inet n - n - - smtpd -o smtpd_tls_security_level=may
127.0.0.1:{submission} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{expired} inet n - n - - smtpd -o smtpd_tls_security_level=may
  -o smtpd_tls_cert_file={expired_certificate} -o smtpd_tls_key_file={expired_certificate}
127.0.0.1:{postscreen} inet n - n - 1 postscreen
smtpd pass - - n - - smtpd
dnsblog unix - - n - 0 dnsblog
tlsproxy unix - - n - 0 tlsproxy
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


class Instance(Program):
    """Postfix with a folder of its own; `main` goes beyond what every instance has in its main.cf.

    Its master runs as root alone.
    """

    def __init__(
        self, folder: Path, port: int, certificate: Path, main: str, master: str, more: Collection[int] = ()
    ) -> None:
        for path in (folder / "etc", folder / "queue", folder / "data"):
            path.mkdir(parents=True)
        shutil.chown(folder / "data", "postfix")
        common = COMMON.format(folder=folder, certificate=certificate)
        (folder / "etc/main.cf").write_text(common + main)
        (folder / "etc/master.cf").write_text(master)
        super().__init__(["postfix", "-c", folder / "etc", "start-fg"], folder, port=port, more=more)


class Postfix(Instance):
    """Takes mail for probe. `ports` by service: smtp, submission, smtps, postscreen, expired (its certificate is)."""

    def __init__(self, folder: Path, sasl: int, pki: Pki) -> None:
        names = ("smtp", "submission", "smtps", "postscreen", "expired")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.folder, self.log = folder, folder / "mail.log"
        expired = pki.issued("127.0.0.1", expired=True)
        master = MASTER.format(expired_certificate=expired, **self.ports)
        main, certificate = MAIN.format(sasl=sasl), pki.issued("127.0.0.1")
        super().__init__(folder, self.ports["smtp"], certificate, main, master, self.ports.values())
