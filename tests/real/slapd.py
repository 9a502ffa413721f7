"""OpenLDAP, from Debian's slapd, with a folder of its own for each server."""

from __future__ import annotations

from pathlib import Path

from tests.real.programs import Program
from tests.real.unprivileged import copied, give, run, unprivileged
from tests.support.ports import free_ports

PASSWORD = "open sesame"
PROBE = "cn=probe,dc=example,dc=com"

CONFIGURATION = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCertificateFile {certificate}
TLSCertificateKeyFile {certificate}
database mdb
suffix "dc=example,dc=com"
directory {folder}/data
maxsize 10485760
dbnosync
access to attrs=userPassword by anonymous auth by * none
access to dn.base="cn=hidden,dc=example,dc=com" by users read by * none
access to * by * read
"""

ENTRIES = f"""\
dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: {PROBE}
objectClass: inetOrgPerson
cn: probe
sn: Probe
mail: probe@example.com
mail: health@example.com
userPassword: {PASSWORD}

dn: cn=hidden,dc=example,dc=com
objectClass: device
cn: hidden
"""


class Slapd(Program):
    """`certificate` is a file with its key; `ldaps` is the port of the second listener."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        folder.mkdir()
        give(folder, 0o755)
        (folder / "data").mkdir()
        give(folder / "data", 0o700)
        port, self.ldaps = free_ports(2)
        configuration = folder / "slapd.conf"
        configuration.write_text(CONFIGURATION.format(folder=folder, certificate=copied(certificate, folder)))
        run(["/usr/sbin/slapadd", "-q", "-f", configuration], ENTRIES)
        listeners = f"ldap://127.0.0.1:{port} ldaps://127.0.0.1:{self.ldaps}"
        command: list[str | Path] = ["/usr/sbin/slapd", "-d", "none", "-f", configuration, "-h", listeners]
        super().__init__(unprivileged(command), folder, port=port, more=[self.ldaps])
