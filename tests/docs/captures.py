"""The pictures of docs/commands.md: what the commands print, asked of a daemon whose answers stand here.

`python -m tests.docs.captures` draws them anew; a test says when that has been forgotten. A picture is a block after a
comment such as `<!-- capture 80: healthd status -->`: the columns of the terminal, and the command.
"""

from __future__ import annotations

import json
import re
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from healthd import events
from healthd.cli.top.sparkline import bars
from tests.healthd.cli.processes import COMMAND, environment
from tests.support import control_answers as made
from tests.support.control_stub import Stub, one_after_the_other
from tests.support.terminal import PATIENCE, Terminal

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
BLOCK = re.compile(r"<!-- capture (\d+): healthd (.*?) -->\n```\n.*?```\n", re.DOTALL)

REFUSED = made.outcome("fail", "L4CON", "connecting to 10.0.0.2:80: Connection refused (ECONNREFUSED)", 0.0003)
WRONG = made.outcome("fail", "L7STS", 'status 503, expected 200: "HTTP/1.1 503 Service Unavailable"', 0.012)
TIMES = (0.004, 0.005, 0.004, 0.006, 0.009, 0.014, 0.011, 0.007, 0.005, 0.004, 0.005, 0.004)

DOWN = made.server(
    "10.0.0.2",
    "down",
    progress="1/2",
    active=0,
    inactive=4,
    since=made.AT - 1140,
    transitions=3,
    reason=str(REFUSED["code"] + " " + REFUSED["detail"]),
    checks=[made.check("down", made.outcome(), progress="1/2", cause=REFUSED, age=0.8)],
)
DRAINED = made.server(
    "10.0.0.3",
    state="drain",
    weight=0,
    active=2,
    inactive=1,
    reason="drain by ann; new kernel",
    override=made.override(until=made.AT + 240),
)
FALLING = made.server(
    "10.0.0.4",
    progress="1/3",
    reason=f"{WRONG['code']} {WRONG['detail']}",
    checks=[made.check("up", WRONG, progress="1/3", age=0.4)],
)
KEPT_OUT = made.server(
    "10.0.0.9",
    state="maintenance",
    weight=0,
    active=0,
    inactive=0,
    reason="maintenance by bob; disk",
    override=made.override("maintenance", until=made.AT + 4320, who="bob", reason="disk"),
)


def edit(server: int, weight: int) -> str:
    return f"-e -t 192.0.2.10:80 -r 10.0.0.{server}:80 -m -w {weight}"


BY: Mapping[str, Any] = {"at": made.AT, "who": "ann", "service": "web"}
ACTS: Mapping[str, events.Event] = {
    "drain": events.DrainBegan(
        server="10.0.0.3:80", reason="new kernel", until=made.AT + 240, edits=(edit(3, 0),), **BY
    ),
    "maintenance": events.MaintenanceBegan(
        server="10.0.0.4:80", reason="disk", until=made.AT + 7200, edits=(edit(4, 0),), **BY
    ),
    "ready": events.DrainEnded(server="10.0.0.3:80", cause="ready", edits=(edit(3, 2),), **BY),
    "weight": events.WeightSet(
        server="10.0.0.1:80", weight="50%", old="", reason="slow disk", edits=(edit(1, 1),), **BY
    ),
    "check-now": events.CheckAsked(servers=("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"), **BY),
    "freeze": events.Frozen(at=made.AT, who="ann", reason="moving the table", until=made.AT + 1800),
    "thaw": events.Thawed(at=made.AT, who="ann"),
    "reload": events.ReloadAsked(at=made.AT, who="ann"),
}
"""What becomes of each act, in the words of the real events."""

RELOADED = events.Reloaded(at=made.AT, changes=("web: server 10.0.0.4:80 is removed",))


def status(number: int = len(TIMES) - 1) -> Any:
    """As it was when the checks of that number had come."""
    at = made.AT - 5 * (len(TIMES) - 1 - number)
    well = made.check(last=made.outcome(seconds=TIMES[number]), age=2.0)
    web = made.service(made.server(checks=[well]), DOWN, DRAINED, FALLING, virtual="192.0.2.10:80/tcp")
    mail = made.service(KEPT_OUT, name="mail", virtual="192.0.2.25:25/tcp", fallback="", fallback_active=False)
    return made.status(web, mail, unusual=("mail: no real server available",), at=at)


def answers() -> dict[str, Any]:
    """By what is asked."""
    web = status()["services"][0]
    edit = "-e -t 192.0.2.10:80 -r 10.0.0.2:80 -m -w 0"
    down = {
        "id": 8,
        "at": made.AT - 1140,
        "kind": "server_down",
        "severity": "warning",
        "service": "web",
        "server": "10.0.0.2:80",
        "check": "http",
        "old": "up",
        "new": "down",
        "outcomes": [REFUSED] * 3,
        "edits": [edit],
        "available": 3,
        "configured": 4,
        "text": "web: server 10.0.0.2:80 up -> down after 3 outcomes of check http: L4CON connecting to 10.0.0.2:80: "
        f"Connection refused (ECONNREFUSED); 3 of 4 servers available; table: {edit}",
    }
    edited = {
        "id": 9,
        "at": made.AT - 1140,
        "kind": "table_edited",
        "severity": "info",
        "text": f"table edited: {edit}",
    }
    rule = "check http: 2 passes in a row bring it back (rise = 2)"
    return {
        "GET /api/v1/status": status(),
        "GET /api/v1/services/web": web,
        "GET /api/v1/services/web/servers/10.0.0.2%3A80": web["servers"][1],
        "GET /api/v1/explain/web/10.0.0.2%3A80": {
            "state": "down",
            "since": down["at"],
            "text": [],
            "event": down,
            "rule": rule,
            "edits": [edit],
            "checks": DOWN["checks"],
        },
        "GET /api/v1/history": {"events": [edited, down], "next": None},
        "GET /api/v1/latency/web/10.0.0.2%3A80": {"points": []},
        **{f"POST /api/v1/{act}": {"done": [event.text()], "edits": []} for act, event in ACTS.items()},
        "POST /api/v1/alert-test": {
            "done": ["ops: arrived: 250 2.0.0 Ok: queued as 4F2A1"],
            "edits": [],
            "failed": ["chat: did not arrive: webhook https://chat.example.com: HTTP 404 Not Found: no such room"],
        },
        "GET /api/v1/events": stream,
        "POST /api/v1/plan": {
            "edits": ["-e -t 192.0.2.10:80 -r 10.0.0.1:80 -m -w 4", "-d -t 192.0.2.10:80 -r 10.0.0.4:80"],
            "effects": ["web: server 10.0.0.4:80 is removed"],
            "errors": [],
            "warnings": [],
        },
    }


def stream(handler: Any) -> bytes:
    """One event, and then no more until the picture has been taken."""
    event: events.Event = RELOADED if "reloaded" in handler.path else ACTS["drain"]
    line = json.dumps({"id": 10, **event.record()})
    handler.wfile.write(f"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\n{line}\n".encode())
    handler.server.done.wait(PATIENCE)
    return b""


def left_on(active: int) -> Any:
    """With so many connections left on the server that is drained."""
    found = status()
    found["services"][0]["servers"][2] |= {"active": active, "inactive": 0}
    return found


COURSE = {
    "top": [status(number) for number in range(len(TIMES))],
    "drain": [left_on(2), left_on(1), left_on(0)],
}
"""What becomes of the status while a command goes on asking."""


def picture(columns: int, command: str) -> str:
    """What a person sees."""
    words = shlex.split(command)
    top, live = words[0] == "top", "-f" in words
    with tempfile.TemporaryDirectory(prefix="healthd-docs-") as folder, Stub(Path(folder) / "s") as stub:
        stub.answers = answers()
        if words[0] in COURSE:
            stub.answers["GET /api/v1/status"] = one_after_the_other(*COURSE[words[0]])
        variables = environment(HEALTHD_SOCKET=str(stub.path), TZ="UTC")
        command_line = (*COMMAND, *words, *(("-n", "0.2") if top else ()))
        with Terminal(command_line, columns, 26 if top else 100, variables) as terminal:
            if live:
                terminal.until(lambda: terminal.text.endswith(edit(3, 0)))
            elif top:
                terminal.shows(bars(TIMES, len(TIMES)))
                terminal.type("\n")
                terminal.until(lambda: "because of" in terminal.text and terminal.lines[-1].startswith("latency"))
            else:
                terminal.ended()
            return terminal.text


def drawn(text: str) -> str:
    """The page with every picture drawn anew."""

    def block(match: re.Match[str]) -> str:
        columns, command = int(match[1]), match[2]
        return f"<!-- capture {columns}: healthd {command} -->\n```\n{picture(columns, command)}\n```\n"

    return BLOCK.sub(block, text)


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text()))
