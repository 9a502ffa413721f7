"""Postfix, from Debian's postfix, with queues and logs of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.checkers.certificates import Pki
from tests.real.programs import Program, free_port

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.com
mydestination = example.com
alias_maps =
alias_database =
local_recipient_maps = inline:{{probe=here}}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_helo_required = yes
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {certificate}
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


class Postfix(Program):
    """`ports` by service: smtp, submission, smtps, postscreen, and expired, whose certificate is. Takes mail for probe.

    Its master runs as root alone.
    """

    def __init__(self, folder: Path, sasl: int, pki: Pki) -> None:
        self.ports = {name: free_port() for name in ("smtp", "submission", "smtps", "postscreen", "expired")}
        self.folder, self.log = folder, folder / "mail.log"
        for path in (folder, folder / "etc", folder / "queue", folder / "data"):
            path.mkdir()
        shutil.chown(folder / "data", "postfix")
        certificate, expired = pki.issued("127.0.0.1"), pki.issued("127.0.0.1", expired=True)
        (folder / "etc/main.cf").write_text(MAIN.format(folder=folder, sasl=sasl, certificate=certificate))
        (folder / "etc/master.cf").write_text(MASTER.format(expired_certificate=expired, **self.ports))
        super().__init__(["postfix", "-c", folder / "etc", "start-fg"], folder, port=self.ports["smtp"])
