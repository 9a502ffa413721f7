"""Configurations for the test network, written as an administrator would write them."""

from __future__ import annotations

import textwrap
from pathlib import Path

FAST = """
    interval = "1s"
    fast_interval = "1s"
    timeout = "10s"
    fall = 1
    rise = 1
    scheduler = "rr"
"""
"""[defaults] with which one outcome decides: a server that a busy machine holds up has its time."""

SERVERS = ("10.2.0.11", "10.2.0.12", "10.2.0.13")


def written(folder: Path, *services: str, defaults: str = FAST, settings: str = 'resync = "2s"') -> Path:
    """A configuration folder below `folder`, each service in a file of its own; what was there is replaced."""
    conf = folder / "conf.d"
    conf.mkdir(exist_ok=True)
    for old in conf.iterdir():
        old.unlink()
    head = f'[healthd]\nstate_dir = "{folder}/state"\n{settings}\n[defaults]\n{textwrap.dedent(defaults)}'
    (conf / "00-healthd.toml").write_text(head)
    for number, service in enumerate(services):
        (conf / f"{number}.toml").write_text(textwrap.dedent(service))
    return conf


def service(
    name: str,
    virtual: str,
    *lines: str,
    check: str = 'type = "http"\nexpect = "OK"',
    servers: tuple[str, ...] = SERVERS,
    server: str = "port = 80",
) -> str:
    """A service of these servers; `lines` are keys of the service, `server` those of every server."""
    head = [f"[service.{name}]", virtual, *lines, f"[service.{name}.check]", check]
    for address in servers:
        head += [f"[[service.{name}.server]]", f'address = "{address}"', server]
    return "\n".join(head)


def table(key: str, head: str, *destinations: str) -> str:
    """The lines of `ipvsadm -Sn` for one service; a destination is an endpoint and its arguments."""
    return "\n".join([f"-A {key} {head}", *(f"-a {key} -r {destination}" for destination in destinations)])
