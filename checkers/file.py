from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from checkers import looking, today
from checkers.aside import aside
from checkers.base import Checker, Code, Failed, OptionError, Outcome, Phase, Target, Unable, passed, show
from checkers.durations import seconds_of
from checkers.looking import Seen
from checkers.placeholders import check_placeholders, facts, filled


@dataclass(frozen=True, kw_only=True)
class File(Checker):
    """Passes while a file on this machine is absent (maintenance by touch), or is present, or holds a weight.

    `path` may have placeholders, such as "/run/maintenance/{address}". `directory` is a folder in which files are named
    for servers, as ldirectord's maintenancedir: by address or host name, with or without a port. What is read of a
    file is bounded, and a folder that is missing says nothing of the server.
    """

    needs_port: ClassVar[bool] = False

    path: str | None = None
    directory: str | None = None
    expect: Literal["absent", "present", "weight"] = "absent"
    max_age: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.path is None) == (self.directory is None):
            raise OptionError("path", "give either path, a file, or directory, a folder of files named for servers")
        for option in ("path", "directory"):
            given = getattr(self, option)
            if given is not None and not given.startswith("/"):
                raise OptionError(option, f'must begin with "/", not {show(given)}')
        if self.path is not None:
            check_placeholders("path", self.path)
        elif "\0" in (self.directory or ""):
            raise OptionError("directory", "cannot hold a NUL character")
        if self.directory is not None and self.expect != "absent":
            raise OptionError("expect", 'a directory is for maintenance, with expect = "absent": use path instead')
        if self.max_age is not None and self.expect == "absent":
            raise OptionError("max_age", "what should be absent has no age: leave it out")
        self._max_age  # noqa: B018 - a duration that is none is refused here

    @functools.cached_property
    def _max_age(self) -> float | None:
        return None if self.max_age is None else seconds_of("max_age", self.max_age)

    async def check(self, target: Target) -> Outcome:
        if self.directory is not None:
            return await self._in_directory(target, Path(self.directory))
        path = Path(filled(self.path or "", facts(target)))
        target.trace.enter(Phase.LOCAL, f"looking at {path}")
        try:
            seen = await aside(functools.partial(looking.look, path, self.expect == "weight"))
        except OSError as error:
            raise looking.unable(error, path) from error
        return self._judged(seen, path)

    async def _in_directory(self, target: Target, directory: Path) -> Outcome:
        address = target.server_address or target.address
        port = target.server_port or target.port
        target.trace.enter(Phase.LOCAL, f"looking into {directory}")
        try:
            names = await aside(functools.partial(looking.listed, directory))
            found = names & looking.names_of((looking.bracketed(address),), port)
            if not found and any(map(looking.may_be_host, names)):
                target.trace.enter(Phase.LOCAL, f"looking up the names of {address}, for the files in {directory}")
                hosts = await aside(functools.partial(looking.hosts_of, address))
                found = names & looking.names_of(hosts, port)
        except OSError as error:
            raise looking.unable(error, directory) from error
        if found:
            raise Failed(Code.FILEBAD, f"maintenance: {directory / min(found)} is there")
        return passed(Code.FILEOK, f"no file in {directory} names {looking.bracketed(address)}")

    def _judged(self, seen: Seen | None, path: Path) -> Outcome:
        if seen is None:
            if self.expect == "present":
                raise Failed(Code.FILEBAD, f'{path} is not there; expect = "present"')
            return passed(Code.FILEOK, f"{path} is not there")
        if self.expect == "absent":
            raise Failed(Code.FILEBAD, f'{path} is there; expect = "absent"')
        age = max(today.now().timestamp() - seen.changed, 0)
        if self._max_age is not None and age > self._max_age:
            raise Failed(Code.FILEBAD, f"{path} is {age:.0f} s old, older than {self.max_age}")
        if self.expect == "present":
            return passed(Code.FILEOK, f"{path} is there")
        try:
            weight, factor = looking.weight_in(seen.content)
        except ValueError as error:
            raise Unable(Code.FILEERR, f"{path} {error}") from error
        return passed(Code.FILEOK, f"{path} holds {show(seen.content.strip())}", weight=weight, factor=factor)
