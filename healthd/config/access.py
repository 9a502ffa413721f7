"""Who may ask a running healthd, and tell it what to do, and where: the values of [control]."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path

from healthd.model import Endpoint


class Role(enum.StrEnum):
    READ = "read"
    OPERATE = "operate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Who may do what, and the SHA-256 of the secret by which they are known; the secret itself is not kept."""

    name: str
    role: Role
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlConfig:
    """Where healthd can be asked and told: `socket` is None and `listen` empty where that is switched off.

    `group` is the number of the group that may use the socket. `names` are host names, beside this machine's own, under
    which a browser may ask for the page. `tokens` are those of `tokens_file`, None where this user may not read it.
    """

    socket: Path | None = None
    group: int | None = None
    listen: tuple[Endpoint, ...] = ()
    names: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tokens_file: Path | None = None
    tokens: tuple[Token, ...] | None = ()


NO_CONTROL = ControlConfig()
