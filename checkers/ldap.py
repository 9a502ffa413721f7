from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from checkers import net
from checkers.base import Code, Failed, OptionError, Outcome, Target, passed, show
from checkers.extras import extra
from checkers.passwords import read_password
from checkers.tls import TlsChecker

_ATTRIBUTE = re.compile(r"[A-Za-z0-9.-]+(?:;[A-Za-z0-9-]+)*")  # RFC 4512, section 2.5


@dataclass(frozen=True, kw_only=True)
class Ldap(TlsChecker):
    """Passes when an LDAP server accepts a bind, anonymous or as `bind_dn`, and, with `base`, has this entry.

    `attribute` must be in the entry, and `expect` be one of its values; without `attribute`, `expect` is the entry's
    DN. `starttls` switches to TLS before anything is told.
    """

    default_port: ClassVar[int] = 389
    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True
    tls_switch: ClassVar[str] = "tls = true or starttls = true"

    starttls: bool = False
    bind_dn: str | None = None
    password_file: str | None = None
    base: str | None = None
    attribute: str | None = None
    expect: str | None = None

    _password: bytes = field(init=False, repr=False, default=b"")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tls and self.starttls:
            raise OptionError("starttls", "cannot stand beside tls = true: TLS is spoken from the beginning then")
        if self.bind_dn == "":
            raise OptionError("bind_dn", "must not be empty: leave it out for an anonymous bind")
        if self.bind_dn is None and self.password_file is not None:
            raise OptionError("password_file", "needs bind_dn, whose password this is")
        if self.bind_dn is not None and self.password_file is None:
            raise OptionError("bind_dn", "needs password_file: servers take a bind without a password for anonymous")
        for option in ("attribute", "expect"):
            if getattr(self, option) is not None and self.base is None:
                raise OptionError(option, 'needs base, the entry that is looked at; that of the server itself is ""')
        if self.attribute is not None and not _ATTRIBUTE.fullmatch(self.attribute):
            raise OptionError("attribute", f'must be the name of one attribute such as "mail", not "{self.attribute}"')
        if self.password_file is not None:
            object.__setattr__(self, "_password", read_password("password_file", self.password_file))
        with extra("ldap"):
            import checkers.ldap_talk  # noqa: F401, PLC0415 - only where it is used

    def may_use_tls(self) -> bool:
        return self.tls or self.starttls

    async def check(self, target: Target) -> Outcome:
        from checkers.ldap_talk import Talk  # noqa: PLC0415 - as above

        async with net.connect(target, speaks_first=True) as stream:
            if self.tls:
                await self.start_tls(stream, target.address)
            talk = Talk(stream, target)
            if self.starttls:
                await talk.begin_tls()
                await self.start_tls(stream, target.address)
            await talk.bind(self.bind_dn, self._password)
            found = ""
            if self.base is not None:
                entry = await talk.entry(self.base, self.attribute)
                found = self._judged(entry.dn, entry.attributes)
            await talk.unbind()
        who = "anonymously" if self.bind_dn is None else f"as {show(self.bind_dn)}"
        return passed(Code.L7OK, f"bound {who}{found}")

    def _judged(self, dn: str, attributes: Mapping[str, Sequence[bytes]]) -> str:
        where = f"entry {show(dn)}"
        if self.attribute is None:
            if self.expect is not None and _folded(dn) != _folded(self.expect):
                raise Failed(Code.L7RSP, f"found {where}; expected {show(self.expect)}")
            return f", found {where}"
        values = attributes.get(self.attribute.lower(), [])
        shown = ", ".join(show(value) for value in values[:3]) + (", ..." if len(values) > 3 else "")
        if not values:
            raise Failed(Code.L7RSP, f"{where} has no {self.attribute} that may be read")
        if self.expect is not None and self.expect.encode() not in values:
            raise Failed(Code.L7RSP, f"{where} has {self.attribute} {shown}; expected {show(self.expect)}")
        return f", {where} has {self.attribute} {shown}"


@dataclass(frozen=True, kw_only=True)
class Ldaps(Ldap):
    """`ldap` with TLS from the beginning."""

    default_port: ClassVar[int] = 636

    tls: bool = True

    def __post_init__(self) -> None:
        if not self.tls:
            raise OptionError("tls", 'cannot be false here: type = "ldap" is the one without TLS')
        super().__post_init__()


def _folded(dn: str) -> str:
    """Names are compared without case, and without the blanks that may stand about their commas."""
    return ",".join(part.strip() for part in dn.casefold().split(","))
