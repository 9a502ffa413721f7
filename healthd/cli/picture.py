"""The state of the servers as text: the first lines, which say what is wrong, and a row for each server. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from healthd.cli import columns
from healthd.cli.answers import Check, Server, Service, Status
from healthd.cli.columns import Column, Row
from healthd.cli.terminal import Page
from healthd.cli.times import lasting, milliseconds
from healthd.printable import one_line

COLUMNS = (
    Column("SERVICE"),
    Column("SERVER"),
    Column("STATE"),
    Column("WEIGHT", right=True),
    Column("CONN", right=True),
    Column("LAST", spare=2),
    Column("TIME", right=True, spare=3),
    Column("AGE", right=True, spare=4),
    Column("SINCE", right=True, spare=1),
)
STATE = 2
"""Where the state stands in `COLUMNS`."""


WORDS = {"maintenance": "maint"}


def styled(server: Server) -> str:
    if server.state == "up":
        return "bold yellow" if server.progress or server.override or server.degraded else "green"
    return {"down": "bold red", "unknown": "bold yellow"}.get(server.state, "cyan")


def state(server: Server, at: float) -> str:
    """`up`, `degraded`, `up, 1/3 bad`, `down, 1/2 good`, `drain, 4m left`, `maint 1h12m, down`."""
    override = server.override
    if override is None or server.state not in {"drain", "maintenance"}:
        return ("degraded" if server.degraded else server.health) + _progress(server)
    word = "cut" if override.cut else WORDS.get(server.state, server.state)
    left = f" {lasting(override.until - at)}" if override.until is not None and not override.cut else ""
    found = "" if server.health == "up" else f", {server.health}"
    return word + left + found


def _progress(server: Server) -> str:
    if not server.progress:
        return ""
    return f", {server.progress} {'bad' if server.health == 'up' else 'good'}"


def weight(server: Server) -> str:
    """`2`, or `0/2` where the configured one is another, or `-/2` outside the table."""
    if server.weight == server.configured_weight:
        return str(server.weight)
    return f"{'-' if server.weight is None else server.weight}/{server.configured_weight}"


def connections(server: Server) -> str:
    """Active and inactive ones: `12/3`."""
    if server.active is None and server.inactive is None:
        return "-"
    return f"{server.active or 0}/{server.inactive or 0}"


def last(check: Check | None) -> tuple[str, str, str]:
    """Code, time and age of the check's last outcome."""
    if check is None or check.last is None:
        return ("-", "-", "-")
    age = "-" if check.age is None else lasting(check.age)
    return (check.last.code, milliseconds(check.last.seconds), age)


def since(server: Server, at: float) -> str:
    return lasting(at - server.so_since) if server.so_since else "-"


def is_notable(server: Server) -> bool:
    """Whether somebody who looks for trouble wants to see it."""
    return server.state != "up" or bool(server.progress) or server.degraded or server.override is not None


def row(server: Server, at: float) -> Row:
    shown = (
        server.service,
        server.name,
        state(server, at),
        weight(server),
        connections(server),
        *last(server.deciding),
        since(server, at),
    )
    return Row(shown, server.reason, ((STATE, styled(server)),))


def table(services: Sequence[Service], servers: Sequence[Server], at: float, page: Page) -> Iterator[str]:
    """A row for each of the servers; where there is no room for the names of services, these are headings."""
    made = [row(server, at) for server in servers]
    if columns.natural(COLUMNS, made) <= page.width:
        rows = made if page.repeats else list(_without_repetition(made))
        return columns.lines(COLUMNS, rows, "REASON", page.width, page.paint)
    kept = set(range(1, len(COLUMNS)))
    headed: list[Row] = []
    for service in services:
        its = [columns.only(one, sorted(kept)) for one in made if one.cells[0] == service.name]
        headed += [Row((), about(service)), *its] if its else []
    return columns.lines(COLUMNS[1:], headed, "REASON", page.width, page.paint)


def _without_repetition(rows: Iterable[Row]) -> Iterator[Row]:
    before = ""
    for made in rows:
        name, *more = made.cells
        yield Row(("" if name == before else name, *more), made.note, made.styles)
        before = name


def about(service: Service) -> str:
    """`web  192.0.2.10:80/tcp wlc, 2 of 3 available`."""
    lost = ", LOST" if service.standing == "lost" else ""
    fallback = ", fallback ACTIVE" if service.fallback_active else ""
    available = f"{service.available} of {service.configured} available"
    return f"{service.name}  {service.virtual} {service.scheduler}, {available}{lost}{fallback}"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def headline(status: Status) -> str:
    """`lb1: 1 service LOST; 3 services, 12 servers: 10 up, 1 down, 1 drain; healthd 0.1.0, up for 3d4h`."""
    totals = status.totals
    states = {name: int(totals.get(name, 0)) for name in ("up", "down", "unknown", "drain", "maintenance")}
    shown = [f"{number} {name}" for name, number in states.items() if number] or ["none"]
    lost = int(totals.get("lost", 0))
    services, servers = counted(totals.get("services", 0), "service"), counted(totals.get("servers", 0), "server")
    gravest = f"{counted(lost, 'service')} LOST; " if lost else ""
    parts = [
        f"{status.host}: {gravest}{services}, {servers}: {', '.join(shown)}",
        f"healthd {status.version}, up for {lasting(status.uptime)}",
    ]
    return one_line("; ".join(parts))


def head_style(status: Status) -> str:
    totals = status.totals
    if totals.get("lost") or totals.get("down"):
        return "bold red"
    return "bold yellow" if status.unusual or totals.get("unknown") else "bold green"


def first_lines(status: Status, page: Page) -> Iterator[str]:
    """The whole in one line, and a line for everything unusual."""
    for text, style in (
        (headline(status), head_style(status)),
        *((f"! {one}", "bold yellow") for one in status.unusual),
    ):
        first, *more = columns.folded(one_line(text), page.width - 2)
        yield page.paint(first, style)
        yield from (page.paint(f"  {part}", style) for part in more)
