from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

from checkers import ldap_wire, net
from checkers.base import Code, Failed, OptionError, Outcome, Target, passed, show
from checkers.ldap_talk import Talk, accepted
from checkers.ldap_wire import Entry, NotLdapError
from checkers.passwords import read_password
from checkers.tls import TlsChecker

_ATTRIBUTE = re.compile(r"[A-Za-z0-9.-]+(?:;[A-Za-z0-9-]+)*")  # RFC 4512, section 2.5
_MOST_REQUESTS = 4


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

    def may_use_tls(self) -> bool:
        return self.tls or self.starttls

    async def check(self, target: Target) -> Outcome:
        async with net.connect(target) as stream:
            if self.tls:
                await self.start_tls(stream, target.address)
            talk = Talk(stream, target)
            if self.starttls:
                answer = await talk.ask("StartTLS", ldap_wire.start_tls, ldap_wire.EXTENDED_RESPONSE)
                accepted(answer[-1].body, "StartTLS", Code.L6RSP)
                talk.forget()
                await self.start_tls(stream, target.address)
            await self._bind(talk)
            found = "" if self.base is None else await self._search(talk, self.base)
            await stream.send(ldap_wire.unbind(_MOST_REQUESTS))
        who = "anonymously" if self.bind_dn is None else f"as {show(self.bind_dn)}"
        return passed(Code.L7OK, f"bound {who}{found}")

    async def _bind(self, talk: Talk) -> None:
        doing = "anonymous bind" if self.bind_dn is None else f"bind as {show(self.bind_dn)}"
        answer = await talk.ask(
            doing, lambda number: ldap_wire.bind(number, self.bind_dn or "", self._password), ldap_wire.BIND_RESPONSE
        )
        accepted(answer[-1].body, doing, Code.L7STS)

    async def _search(self, talk: Talk, base: str) -> str:
        doing = f"search for {show(base)}"
        wanted = self.attribute or ldap_wire.NO_ATTRIBUTES
        answer = await talk.ask(
            doing, lambda number: ldap_wire.base_search(number, base, wanted), ldap_wire.SEARCH_DONE
        )
        accepted(answer[-1].body, doing, Code.L7STS)
        entries = [message.body for message in answer if message.operation == ldap_wire.ENTRY]
        if len(entries) != 1:
            raise Failed(Code.L7RSP, f"{doing}: {len(entries)} entries were returned; expected 1")
        try:
            return self._judged(ldap_wire.entry(entries[0]))
        except NotLdapError:
            raise Failed(Code.L7RSP, f"{doing}: the entry is broken: {show(entries[0])}") from None

    def _judged(self, entry: Entry) -> str:
        where = f"entry {show(entry.dn)}"
        if self.attribute is None:
            if self.expect is not None and _folded(entry.dn) != _folded(self.expect):
                raise Failed(Code.L7RSP, f"found {where}; expected {show(self.expect)}")
            return f", found {where}"
        values = entry.attributes.get(self.attribute.lower(), [])
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
