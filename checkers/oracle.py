from __future__ import annotations

import errno
import importlib.util
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from checkers import process
from checkers.base import CheckEnded, Code, Failed, OptionError, Outcome, Phase, Target, Unable, show
from checkers.extras import extra
from checkers.fault import ended
from checkers.sql import MOST_ROWS, Answer, SqlChecker

_PROGRAM = Path(__file__).with_name("oracle_session.py")
_READY = b"ready\n"
_KEEP = 65536
_CONNECTED = (errno.EPIPE, errno.ECONNRESET)


_CONNECTION = re.compile(r" ?\(CONNECTION_ID=[^)]*\)")
"""Another one each time: it would make every failure look new."""


@dataclass(frozen=True, kw_only=True)
class Oracle(SqlChecker):
    """Passes when an Oracle database logs `user` in to `service` and, with `query`, answers it as expected.

    Each check is a process of its own, which costs a third of a second of processor time.
    """

    default_port: ClassVar[int] = 1521
    shared: ClassVar[bool] = True

    service: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.refuse_empty("service")
        for option in ("user", "password_file"):
            if getattr(self, option) is None:
                raise OptionError(option, "missing: nothing is known of an Oracle database without a login")
        with extra("oracle"):
            if importlib.util.find_spec("oracledb") is None:
                raise ModuleNotFoundError(name="oracledb")

    async def check(self, target: Target) -> Outcome:
        target.trace.enter(Phase.TALK, f"logging in to service {show(self.service)}")
        argv = [sys.executable, "-I", str(_PROGRAM)]
        try:
            done = await process.run(argv, environment={}, stdin=self._question(target), keep=_KEEP)
        except OSError as error:
            raise Unable(Code.RUNERR, process.explain(error, sys.executable)) from error
        return self.judge(_read(done, target))

    def _question(self, target: Target) -> bytes:
        question = {
            "host": target.address,
            "port": target.port,
            "service": self.service,
            "user": self.user,
            "password": self.password.decode("utf-8", "surrogateescape"),
            "query": self.query,
            "most_rows": MOST_ROWS,
        }
        return json.dumps(question).encode()


def _read(done: process.Ended, target: Target) -> Answer:
    if not done.output.startswith(_READY):
        raise Unable(Code.RUNERR, f"the library cannot be used, {done.how}: {show(done.output[-200:], 200)}")
    try:
        said: dict[str, Any] = json.loads(done.output.removeprefix(_READY))
    except ValueError:
        last = show(done.output.rpartition(b"\n")[0].rpartition(b"\n")[2], 200)
        raise Failed(Code.L7RSP, f"the answer is not understood: {last}, {done.how}") from None
    if "error" in said:
        raise _failed(said["error"], said["errno"], target)
    if "rows" not in said:
        return Answer()
    return Answer(rows=[[said["value"]]] * said["rows"])


def _failed(text: str, number: int | None, target: Target) -> CheckEnded:
    doing = "logging in or asking"
    if number in _CONNECTED:
        return ended(OSError(number, ""), Code.L7RSP, doing)
    if number is not None:
        return ended(OSError(number, ""), Code.L4CON, f"connecting to {target.where}")
    said = " ".join(line for line in text.splitlines() if not line.startswith("Help:"))
    said = _CONNECTION.sub("", said)
    return Failed(Code.L7STS if "ORA-" in said else Code.L7RSP, f"{doing}: {show(said, 300)}")
