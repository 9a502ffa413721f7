"""Dovecot with a configuration and folders of its own: IMAP, POP3, LMTP, and logins for postfix."""

from __future__ import annotations

from pathlib import Path

from tests.real.programs import Program
from tests.real.unprivileged import copied, give, run, unprivileged
from tests.support.ports import free_ports

USER, PASSWORD = "probe", "open sesame"

_WORDS_OF_2_3 = """\
ssl_cert = <{certificate}
ssl_key = <{certificate}
auth_username_format = %Ln
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail
}}
mail_location = maildir:{folder}/mail
"""

_WORDS_OF_2_4 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
ssl_server_cert_file = {certificate}
ssl_server_key_file = {certificate}
auth_username_format = %{{user | username | lower}}
passdb passwd-file {{
  passwd_file_path = {folder}/users
}}
userdb static {{
  fields {{
    uid = {user}
    gid = {group}
    home = {folder}/mail
  }}
}}
mail_driver = maildir
mail_path = {folder}/mail
"""
"""As Debian 13 has it."""

_CONFIGURATION = """\
protocols = imap pop3 lmtp
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
ssl = yes
auth_mechanisms = plain login
auth_failure_delay = 0
login_greeting = Dovecot ready.
first_valid_uid = 1
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{ # or it holds up who has once been refused
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener sasl {{
    port = {sasl}
  }}
}}
"""


class Dovecot(Program):
    """With one user, probe. `ports` by service: imap, imaps, pop3, pop3s, lmtp, and sasl, where postfix asks."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        folder.mkdir()
        give(folder, 0o755)
        self.log = folder / "dovecot.log"
        names = ("imap", "imaps", "pop3", "pop3s", "lmtp", "sasl")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        give(_written(folder / "users", f"{USER}:{{PLAIN}}{PASSWORD}\n"), 0o600)
        user, group = run(["id", "-un"]).strip(), run(["id", "-gn"]).strip()
        words = _WORDS_OF_2_3 if run(["dovecot", "--version"]).startswith("2.3") else _WORDS_OF_2_4
        configuration = (words + _CONFIGURATION).format(
            folder=folder, certificate=copied(certificate, folder), user=user, group=group, **self.ports
        )
        command: list[str | Path] = ["dovecot", "-F", "-c", _written(folder / "dovecot.conf", configuration)]
        super().__init__(unprivileged(command), folder, port=self.ports["imap"], more=self.ports.values())


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
