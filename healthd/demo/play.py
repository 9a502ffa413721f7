"""The play itself: what befalls the servers, and what healthd has to make of it."""

from __future__ import annotations

import asyncio
import enum
import secrets
import sysconfig
from pathlib import Path

from healthd import events
from healthd.clock import SystemClock
from healthd.config import load
from healthd.daemon import Daemon
from healthd.demo.servers import Mood, SmallServer, free_port, three_servers
from healthd.demo.stage import NotAsExpected, Say, Stage
from healthd.ipvs.memory import MemoryIpvs

BREATH = 2.3
"""Seconds between the acts, for the reader."""

FALLBACK = "127.0.0.1:80"

CONFIGURATION = """\
[healthd]
table = "memory"                   # nothing on this machine is touched
state_dir = "{folder}"

[control]                          # `healthd status` and all others ask state_dir/control.sock
listen = ["127.0.0.1:{page}"]     # the page, for a browser
tokens_file = "{tokens}"

[alert.note]                       # `healthd alert test` tries it
type = "command"
command = ["/bin/sh", "-c", "cat >> {folder}/alerts.json"]
events = ["service_lost", "service_recovered"]

[service.web]
virtual = "192.0.2.10:80"          # an address that is nobody's
scheduler = "wlc"
forward = "masq"
fallback = "{fallback}"
on_failure = "quiesce"             # a sick server gets weight 0
interval = "1s"
fast_interval = "300ms"
timeout = "500ms"
fall = 2
rise = 2
check = {{ type = "http", path = "/health", status = "200", expect = "OK" }}
{servers}"""

SERVER = """
[[service.web.server]]
address = "{address}"
port = {port}
"""


class Ending(enum.Enum):
    PLAYED = "everything happened as it had to"
    INTERRUPTED = "stopped by a signal"


async def perform(folder: Path, say: Say, *, keep: bool) -> Ending:
    """Plays it in `folder`, which has to be empty; with `keep` everything goes on after it until a signal comes.

    Raises:
        NotAsExpected: healthd did not do what it should have.
        OSError: the servers cannot be started.

    """
    servers = three_servers()
    try:
        for server in servers:
            await server.start()
        return await _with_daemon(folder, servers, say, keep=keep)
    finally:
        for server in servers:
            server.stop()


async def _with_daemon(folder: Path, servers: list[SmallServer], say: Say, *, keep: bool) -> Ending:
    path = folder / "demo.toml"
    text = "".join(SERVER.format(address=server.address, port=server.port) for server in servers)
    tokens, token, page = folder / "tokens", secrets.token_hex(20), free_port()
    tokens.touch(mode=0o600)
    tokens.write_text(f"demo operate {token}\n")
    path.write_text(CONFIGURATION.format(folder=folder, fallback=FALLBACK, servers=text, page=page, tokens=tokens))
    say(f"Three small web servers are listening on loopback. This is the configuration, {path}:\n", "bold")
    say(path.read_text(), "")
    clock, ipvs = SystemClock(), MemoryIpvs()
    daemon = Daemon(load(path), path, ipvs)
    stage = Stage(daemon.bus, ipvs, clock, say)
    for line in _browser(page, token):
        say(line, "bold")
    stage.announce("healthd starts with an empty table. No server gets traffic before it has passed a check.")
    running = asyncio.create_task(daemon.run())
    watching = asyncio.create_task(stage.watch())
    playing = asyncio.create_task(_play(stage, servers))
    try:
        await _first_of(playing, running, watching)
        if playing.done() and keep:
            for line in (*_browser(page, token), *_terminal(folder / "control.sock", path, servers)):
                say(line, "bold" if line.startswith("  ") else "")
            await _first_of(running, watching)
        return Ending.PLAYED if playing.done() else Ending.INTERRUPTED
    finally:
        await _ended(daemon, running, playing, watching)


def _browser(port: int, token: str) -> tuple[str, ...]:
    return (
        f"\nThe page, in a browser on this machine: http://127.0.0.1:{port}/",
        f"To drain and bring back servers there, log in with the token {token}",
    )


def _terminal(socket: Path, path: Path, servers: list[SmallServer]) -> tuple[str, ...]:
    """What to try in another terminal."""
    name = f"web/{servers[0].name}"
    return (
        "\nStays until Ctrl-C. In another terminal:\n",
        f"  export HEALTHD_SOCKET={socket} PATH={sysconfig.get_path('scripts')}:$PATH",
        "  healthd status                                  # or --watch, or: healthd top",
        f"  healthd explain {name}",
        f"  healthd drain {name} --reason trying",
        f"  healthd ready {name}",
        "  healthd plan                                    # after an edit of the configuration,",
        f"  healthd reload                                  # {path}",
        "  healthd alert test                              # which writes to alerts.json there",
        "  healthd events -f",
    )


async def _first_of(*tasks: asyncio.Task[None]) -> None:
    """Returns when one of them has ended, or raises what it ended with."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        await task


async def _ended(daemon: Daemon, running: asyncio.Task[None], *others: asyncio.Task[None]) -> None:
    if not running.done():
        daemon.stop("the demonstration is over")
    for task in others:
        task.cancel()
    await asyncio.gather(running, *others, return_exceptions=True)


async def _play(stage: Stage, servers: list[SmallServer]) -> None:
    names = [server.name for server in servers]
    first, second, third = names
    well = dict.fromkeys(names, 1)
    await stage.events(events.ServerAdmitted, *names)
    await _seen(stage, well)

    stage.announce(f"{first} is sick: it answers 500.")
    servers[0].mood = Mood.SICK
    await stage.events(events.ServerDown, first)
    await _seen(stage, well | {first: 0})

    stage.announce(f"{first} is well again.")
    servers[0].mood = Mood.WELL
    await stage.events(events.ServerUp, first)
    await _seen(stage, well)

    stage.announce(f"{second} hangs: it accepts connections and says nothing.")
    servers[1].mood = Mood.HANGING
    await stage.events(events.ServerDown, second)
    await _seen(stage, well | {second: 0})

    stage.announce(f"{first} and {third} are switched off: nobody is left, and the fallback has to come in.")
    servers[0].stop()
    servers[2].stop()
    await stage.events(events.ServerDown, first, third)
    await stage.events(events.ServiceLost)
    await stage.events(events.FallbackIn)
    await _seen(stage, dict.fromkeys(names, 0) | {FALLBACK: 1})

    stage.announce("All three come back: the fallback goes out after the first of them is in.")
    for server in servers:
        await server.start()
    await stage.events(events.ServiceRecovered)
    await stage.events(events.FallbackOut)
    await stage.events(events.ServerUp, *names)
    await _seen(stage, well)


async def _seen(stage: Stage, weights: dict[str, int]) -> None:
    await stage.weights(weights)
    stage.show_table()
    await stage.pause(BREATH)


__all__ = ["Ending", "NotAsExpected", "perform"]
