"""healthd and what it replaces, configured alike for the director of the lab.

An HTTP check every second, one second of patience, one failure decides; a sick server gets weight 0, a well one its
weight back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import subjects
from benchmarks.subjects import HEALTHD, Command
from tests.kernel.configuring import service, written

VIP = "10.1.0.100:80"
PROGRAMS = Path(__file__).parent / "programs"

DEFAULTS = 'interval = "1s"\nfast_interval = "1s"\ntimeout = "1s"\nfall = 1\nrise = 1\nscheduler = "rr"'


def healthd(servers: Sequence[str], folder: Path) -> Command:
    web = service("web", f'virtual = "{VIP}"', check='type = "http"', servers=tuple(servers))
    config = written(folder, web, defaults=DEFAULTS)
    return Command((*HEALTHD, "run", "-c", str(config)))


def keepalived(servers: Sequence[str], folder: Path) -> Command:
    config = folder / "keepalived.conf"
    entries = "".join(_KEEPALIVED_SERVER.format(address=address) for address in servers)
    config.write_text(_KEEPALIVED.format(servers=entries))
    return subjects.keepalived(config, folder)


_KEEPALIVED = """virtual_server 10.1.0.100 80 {{
 delay_loop 1
 lb_algo rr
 lb_kind NAT
 protocol TCP
{servers}}}
"""
_KEEPALIVED_SERVER = """ real_server {address} 80 {{
  weight 1
  inhibit_on_failure
  HTTP_GET {{
   url {{
    path /
    status_code 200
   }}
   connect_timeout 1
   retry 0
  }}
 }}
"""


def ldirectord(servers: Sequence[str], folder: Path) -> Command:
    config = folder / "ldirectord.cf"
    head = ["checktimeout = 1", "negotiatetimeout = 1", "checkinterval = 1", "failurecount = 1", "quiescent = yes"]
    head += ["supervised = yes", f'logfile = "{folder}/ldirectord.log"', f"virtual = {VIP}", "    scheduler = rr"]
    head += ["    service = http", '    request = "/"', '    receive = "OK"']
    config.write_text("\n".join([*head, *(f"    real = {address}:80 masq 1" for address in servers)]) + "\n")
    return Command(("ldirectord", str(config), "start"))


def mon(servers: Sequence[str], folder: Path) -> Command:
    """A group, a monitor process and an alert of its own for each server, as mon's alerts do not tell hosts apart."""
    config = folder / "mon.cf"
    groups = "".join(f"hostgroup web{number} {address}\n\n" for number, address in enumerate(servers))
    watches = "".join(_MON_WATCH.format(number=number, address=address) for number, address in enumerate(servers))
    config.write_text(_MON.format(programs=PROGRAMS, folder=folder) + groups + watches)
    (folder / "auth.cf").write_text("command section\nlist: all\n")
    return Command(("mon", "-c", str(config), "-A", str(folder / "auth.cf"), "-P", str(folder / "mon.pid"), "-i", "1"))


_MON = """alertdir = {programs}
mondir = /usr/lib/mon/mon.d
logdir = {folder}
statedir = {folder}
cfbasedir = {folder}
randstart = 1s
serverbind = 127.0.0.1
trapbind = 127.0.0.1

"""
_MON_WATCH = """watch web{number}
    service http
        interval 1s
        failure_interval 1s
        monitor http.monitor -t 1
        period wd {{Sun-Sat}}
            alert lvs.alert -V 10.1.0.100:80 -R {address}:80
            upalert lvs.alert -V 10.1.0.100:80 -R {address}:80

"""

RIVALS: dict[str, Callable[[Sequence[str], Path], Command]] = {
    "healthd": healthd,
    "keepalived": keepalived,
    "ldirectord": ldirectord,
    "mon": mon,
}
