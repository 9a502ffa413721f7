"""What every checker that may speak TLS has in common: its options and the context made of them."""

import functools
import hashlib
import ipaddress
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Never

from checkers import net
from checkers.base import Checker, OptionError
from checkers.credentials import located

_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
_PROTOCOL = re.compile(r"[!-~]{1,255}")  # RFC 7301 allows any bytes; those that are registered are of these
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True)
class _Material:
    """All that a context is made of. The files count by their content: a renewed certificate makes another context."""

    verify: bool
    minimum: str
    ca_file: str | None
    cert_file: str | None
    key_file: str | None
    alpn: tuple[str, ...]
    digests: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TlsChecker(Checker):
    """The base of checkers that may speak TLS.

    The certificate is verified (chain, dates, name) unless `verify` is false. `tls_name` is sent as server name and is
    the name that the certificate must carry; what it is when not given, the checker says.
    `ca_file` holds the trusted authorities in PEM form, instead of the system's. `cert_file` and `key_file` are the
    client's certificate and key, in PEM form; the key may stand in `cert_file` too. Files are read once, when the
    checker is made; `credential:NAME` is the one of systemd's LoadCredential=. `alpn` names the protocols that are
    offered (RFC 7301), the best first.
    """

    tls_switch: ClassVar[str] = "tls = true"
    """What turns TLS on, for messages."""

    tls: bool = False
    verify: bool = True
    tls_name: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    tls_min: Literal["1.2", "1.3"] = "1.2"
    alpn: tuple[str, ...] = ()

    _material: _Material | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tls_name is not None and not is_server_name(self.tls_name):
            raise OptionError("tls_name", f'must be a host name or an address, not "{self.tls_name}"')
        if self.key_file is not None and self.cert_file is None:
            raise OptionError("key_file", "needs cert_file, the certificate that this is the key of")
        if self.ca_file is not None and not self.verify:
            raise OptionError("ca_file", "has no effect with verify = false: remove one of the two")
        for protocol in self.alpn:
            if not _PROTOCOL.fullmatch(protocol):
                raise OptionError("alpn", f'expected names of protocols such as "h2" or "http/1.1", not "{protocol}"')
        if self.may_use_tls():
            object.__setattr__(self, "_material", self._read_material())
            self.tls_context()  # a file that is no certificate is found now, not at the first check
        else:
            self._refuse_idle_options()

    def may_use_tls(self) -> bool:
        """Whether any check may need `tls_context`."""
        return self.tls

    async def start_tls(self, stream: net.Stream, name: str, *, resume: net.Stream | None = None) -> None:
        """TLS on `stream` from here on; `name` is the server's unless the option `tls_name` says another."""
        await stream.start_tls(self.tls_context(), self.tls_name or name, resume)

    def tls_context(self) -> ssl.SSLContext:
        """Made once, and shared by all checkers with the same options."""
        if self._material is None:
            raise RuntimeError(f"{type(self).__name__} speaks TLS although may_use_tls() says that it never does")
        return _context(self._material)

    def _refuse_idle_options(self) -> None:
        given = [option for option in ("tls_name", "ca_file", "cert_file") if getattr(self, option) is not None]
        given += [option for option, idle in (("verify", not self.verify), ("alpn", self.alpn)) if idle]
        if given:
            raise OptionError(given[0], f"has no effect without {self.tls_switch}")

    def _read_material(self) -> _Material:
        given = {"ca_file": self.ca_file, "cert_file": self.cert_file, "key_file": self.key_file}
        files = {option: path and path_of(option, path) for option, path in given.items()}
        digests = tuple(
            hashlib.sha256(read_file(option, path)).hexdigest() for option, path in files.items() if path is not None
        )
        return _Material(self.verify, self.tls_min, **files, alpn=self.alpn, digests=digests)


def is_server_name(text: str) -> bool:
    """Whether `text` can be sent as server name: ASCII labels of 1 to 63 characters (RFC 1035), or an address."""
    if ":" in text:
        try:
            return ipaddress.IPv6Address(text).scope_id is None
        except ValueError:
            return False
    return len(text) <= 253 and _NAME.fullmatch(text) is not None


def path_of(option: str, path: str) -> str:
    """Where the file is that `option` names, be it a credential.

    Raises:
        OptionError: there is no such credential.

    """
    try:
        return located(path)
    except ValueError as error:
        raise OptionError(option, str(error)) from error


def read_file(option: str, path: str) -> bytes:
    """The content of the file that `option` names, be it a credential.

    Raises:
        OptionError: it cannot be read.

    """
    try:
        return Path(path_of(option, path)).read_bytes()
    except OSError as error:
        raise OptionError(option, f'cannot read "{path}": {error.strerror}') from error


@functools.lru_cache(maxsize=64)
def _context(material: _Material) -> ssl.SSLContext:
    """Shared, because the system's authorities cost 50 ms and a megabyte to load."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = _VERSIONS[material.minimum]
    if not material.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif material.ca_file is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(material.ca_file)
        except ssl.SSLError as error:
            raise OptionError("ca_file", f'"{material.ca_file}" {_not_pem("certificate", error)}') from error
    if material.alpn:
        context.set_alpn_protocols(list(material.alpn))
    if material.cert_file is not None:
        _load_client_certificate(context, material.cert_file, material.key_file)
    return context


def _load_client_certificate(context: ssl.SSLContext, cert_file: str, key_file: str | None) -> None:
    def no_passphrase() -> Never:
        raise OptionError(
            "key_file" if key_file else "cert_file",
            f'the key in "{key_file or cert_file}" is encrypted: give it without a passphrase, readable by root alone',
        )

    try:
        context.load_cert_chain(cert_file, key_file, password=no_passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            message = f'"{key_file or cert_file}" is not the key of the certificate in "{cert_file}"'
            raise OptionError("key_file" if key_file else "cert_file", message) from error
        where = f'"{cert_file}" with "{key_file}"' if key_file else f'"{cert_file}"'
        raise OptionError("cert_file", f"{where} {_not_pem('certificate with its key', error)}") from error


def _not_pem(what: str, error: ssl.SSLError) -> str:
    return f"holds no usable {what} in PEM form: {error.reason or 'not understood'}"
