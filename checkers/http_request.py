"""What is asked of an HTTP server: the request's bytes, and where a redirect leads."""

from __future__ import annotations

import base64
import dataclasses
import re
import urllib.parse
from collections.abc import Mapping
from typing import NamedTuple

from checkers.base import OptionError, Target
from checkers.passwords import password_of
from checkers.tls import is_server_name

PORTS = {"http": 80, "https": 443}

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})  # RFC 9110, sections 15.4.8 and 15.4.9

_PATH = re.compile(r"/[!-~]*")
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_OWN_FIELDS = {
    "host": "is set with the option host",
    "connection": "is not an option: every check closes its connection",
    "content-length": "is not an option: it follows from body",
    "transfer-encoding": "is not an option: the body is sent as it is",
}
_CREDENTIALS = frozenset({"authorization", "cookie"})


@dataclasses.dataclass(frozen=True, slots=True)
class Fields:
    """Header fields as they are sent. `credentials` go only to the host that they were given for."""

    open: bytes
    credentials: bytes = dataclasses.field(repr=False)


def fields_of(headers: Mapping[str, str], authorization: str | None) -> Fields:
    """The fields of every request, the user's `headers` before healthd's own.

    Raises:
        OptionError: a name or a value that HTTP does not allow, or a field that is not the user's.

    """
    sent = {"user-agent": "User-Agent: healthd", "accept": "Accept: */*"}
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise OptionError("headers", f'"{name}" is no name of a header field')
        if reason := _OWN_FIELDS.get(name.lower()):
            raise OptionError("headers", f"{name} {reason}")
        if any(c != "\t" and not c.isprintable() for c in value):
            raise OptionError("headers", f"the value of {name} may hold no line break or other control character")
        sent[name.lower()] = f"{name}: {value}"
    if authorization is not None:
        if "authorization" in sent:
            raise OptionError("headers", "Authorization is set already by user and password_file")
        sent["authorization"] = f"Authorization: {authorization}"
    secret = {name for name in sent if name in _CREDENTIALS}
    return Fields(
        "".join(f"{line}\r\n" for name, line in sent.items() if name not in secret).encode(),
        "".join(f"{line}\r\n" for name, line in sent.items() if name in secret).encode(),
    )


def basic_authorization(user: str | None, password_file: str | None, prefix: str = "") -> str | None:
    """The value of the Authorization field (RFC 7617), the password read from its file now.

    The options are called `user` and `password_file` with `prefix` before them.

    Raises:
        OptionError: one is given without the other, or the file cannot be read or holds more than one line.

    """
    if user is not None and password_file is not None and (":" in user or not user.isprintable()):
        raise OptionError(f"{prefix}user", "may hold no colon and no control character (RFC 7617)")
    password = password_of(user, password_file, prefix)
    if user is None:
        return None
    return "Basic " + base64.b64encode(f"{user}:".encode() + password).decode()


def check_path(path: str) -> None:
    """Raises OptionError unless `path` can stand in a request."""
    if not _PATH.fullmatch(path):
        message = 'must start with "/" and be ASCII without blanks (write others as %20, %C3%BC)'
        raise OptionError("path", f'{message}, not "{path}"')


def check_host(host: str) -> None:
    """Raises OptionError unless `host` can stand in a Host field and its name in a TLS handshake."""
    match = _HOST.fullmatch(host)
    if match is None or not is_server_name(match["name"].strip("[]")):
        message = f'must be a name or an address, with or without a port, such as "www.example.com", not "{host}"'
        raise OptionError("host", message)


class Question(NamedTuple):
    """One request. `host` is the Host field; `port` is where the real server is asked, whatever `host` says."""

    method: str
    scheme: str
    port: int
    host: str
    path: str

    @property
    def name(self) -> str:
        """The host without its port and brackets."""
        match = _HOST.fullmatch(self.host)
        return match["name"].strip("[]") if match else self.host

    def encoded(self, fields: Fields, body: bytes | None, *, credentials: bool) -> bytes:
        head = (
            f"{self.method} {self.path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n".encode() + fields.open
        )
        if credentials:
            head += fields.credentials
        if body is None:
            return head + b"\r\n"
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body

    def redirected(self, status: int, location: str) -> Question | None:
        """What the server asks to be asked instead; None when that is not followed.

        It is not followed when it is no redirect, cannot be understood, or leads from https to http. The real server
        stays the one that is asked, whichever host the location names: on the same port, or from http to https on
        the port that the location names.
        """
        if status not in _REDIRECTS or not location:
            return None
        try:
            url = urllib.parse.urlsplit(urllib.parse.urljoin(f"{self.scheme}://{self.host}{self.path}", location))
            name, port = url.hostname or "", url.port
        except ValueError:
            return None
        if url.scheme not in PORTS or not is_server_name(name) or (self.scheme, url.scheme) == ("https", "http"):
            return None
        path = urllib.parse.quote(url.path or "/", safe="/%:@!$&'()*+,;=~")
        if not path.startswith("/"):
            return None
        query = urllib.parse.quote(url.query, safe="/?%:@!$&'()*+,;=~[]")
        return Question(
            method=self.method if status in _KEEP_METHOD or self.method in ("GET", "HEAD", "OPTIONS") else "GET",
            scheme=url.scheme,
            port=self.port if url.scheme == self.scheme else port or PORTS[url.scheme],
            host=host_field(name, port or PORTS[url.scheme], url.scheme),
            path=f"{path}?{query}" if query else path,
        )


def first_question(target: Target, *, method: str, scheme: str, host: str | None, path: str) -> Question:
    return Question(method, scheme, target.port, host or host_field(target.address, target.port, scheme), path)


def host_field(name: str, port: int, scheme: str) -> str:
    """Name or address in the form of a Host field: the port is left out where it is the scheme's own."""
    shown = f"[{name}]" if ":" in name else name
    return shown if port == PORTS[scheme] else f"{shown}:{port}"


def authority(host: str, port: int) -> str:
    """A Host field with a port in any case: `port`, unless it has one."""
    match = _HOST.fullmatch(host)
    return host if match and match["port"] else f"{host}:{port}"
