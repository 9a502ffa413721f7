"""Certificates made for the tests: an authority that is trusted, and what it issues or does not issue."""

import datetime as dt
import ssl
from pathlib import Path

import trustme


class Pki:
    """`ca_file` is the trusted authority; the paths that methods return are of files in PEM form."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        self._authority.cert_pem.write_to_path(self.ca_file)

    def issued(self, *names: str, expired: bool = False, days: int | None = None) -> Path:
        """A certificate with its key, in one file; it ends yesterday, or in `days`."""
        days = -1 if expired else days
        ends = None if days is None else dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
        certificate = self._authority.issue_cert(*names, not_after=ends)
        return self._written(certificate)

    def unknown(self, name: str) -> Path:
        """A certificate that an authority which nobody trusts has issued."""
        return self._written(trustme.CA().issue_cert(name))

    def server(self, certificate: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        return context

    def _written(self, certificate: trustme.LeafCert) -> Path:
        path = self._folder / f"{len(list(self._folder.iterdir()))}.pem"
        certificate.private_key_and_cert_chain_pem.write_to_path(str(path))
        return path
