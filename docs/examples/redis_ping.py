"""Asks a Redis server PING, as a plugin of healthd. Copy it to plugin_dir and write: type = "redis_ping:RedisPing"."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from checkers import net
from checkers.base import Checker, Code, Failed, OptionError, Outcome, Target, Unable, passed, show


@dataclass(frozen=True, kw_only=True)
class RedisPing(Checker):
    """Passes when a Redis server answers PONG, after logging in where a password file is given."""

    default_port: ClassVar[int] = 6379
    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    password_file: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.password_file is not None and not self.password_file.startswith("/"):
            raise OptionError("password_file", f"must be an absolute path, not {show(self.password_file)}")

    async def check(self, target: Target) -> Outcome:
        password = self._password()
        async with net.connect(target) as stream:
            if password is not None:
                await stream.send(b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n" % (len(password), password))
                _expect(b"+OK", await _line(stream), "AUTH")
            await stream.send(b"PING\r\n")
            _expect(b"+PONG", await _line(stream), "PING")
        return passed(Code.L7OK, "answered PONG")

    def _password(self) -> bytes | None:
        """Read at every check, so that a new password needs no reload."""
        if self.password_file is None:
            return None
        try:
            return Path(self.password_file).read_bytes().strip()
        except OSError as error:
            # This machine's trouble, not the server's: it must not take the server out.
            raise Unable("NOFILE", f"cannot read {self.password_file}: {error.strerror}") from error


async def _line(stream: net.Stream) -> bytes:
    """One line of at most 512 bytes; what is cut short is returned as it came."""
    line = b""
    while not line.endswith(b"\n") and len(line) < 512:
        data = await stream.receive(512 - len(line))
        if not data:
            break
        line += data
    return line.rstrip(b"\r\n")


def _expect(wanted: bytes, answer: bytes, question: str) -> None:
    if answer != wanted:
        raise Failed(Code.L7RSP, f"answered {question} with {show(answer)}")
