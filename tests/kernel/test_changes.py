"""What the administrator changes: the configuration by a reload, and the table by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from healthd.model import ServiceKey, Table
from tests.kernel.configuring import service, table, written
from tests.kernel.topology import Lab, Topology
from tests.kernel.waiting import eventually

WEB, SHOP = "-t 10.1.0.100:80", "-t 10.1.0.100:8080"
FOREIGN = "-A -t 10.1.0.100:9999 -s wrr\n-a -t 10.1.0.100:9999 -r 10.9.9.9:9999 -m -w 7"


@pytest.fixture(scope="module")
def network() -> Iterator[Lab]:
    with Topology(servers=3) as lab:
        yield lab


@pytest.fixture
def lab(network: Lab) -> Lab:
    network.director.ipvsadm("-C")
    network.mend()
    return network


def web(*, weight: int = 1, check: str = 'type = "http"\nexpect = "OK"', servers: int = 3) -> str:
    addresses = ("10.2.0.11", "10.2.0.12", "10.2.0.13")[:servers]
    return service(
        "web",
        'virtual = "10.1.0.100:80"',
        check=check,
        servers=addresses,
        server=f"port = 80\nweight = {weight}",
    )


SHOP_SERVICE = service("shop", 'virtual = "10.1.0.100:8080"')
SHOP_TABLE = table(SHOP, "-s rr", "10.2.0.11:80 -m -w 1", "10.2.0.12:80 -m -w 1", "10.2.0.13:80 -m -w 0")


def web_table(*weights: int) -> str:
    return table(WEB, "-s rr", *(f"10.2.0.{11 + n}:80 -m -w {weight}" for n, weight in enumerate(weights)))


def test_reload_changes_what_changed_and_nothing_else(lab: Lab, tmp_path: Path) -> None:
    """Services come and go, weights and checks change, a broken file changes nothing; the untouched never flaps."""
    lab.servers[2].kill()  # the state that has to survive every reload
    conf = written(tmp_path, SHOP_SERVICE)
    daemon = lab.director.start(conf, tmp_path / "log")
    lab.director.becomes(SHOP_TABLE, 60)
    shop = next(iter(lab.director.ipvs.keys()))

    with lab.director.watch(every=0.05) as watch:
        written(tmp_path, SHOP_SERVICE, web())
        daemon.reload()
        lab.director.becomes(SHOP_TABLE + "\n" + web_table(1, 1, 0))

        written(tmp_path, SHOP_SERVICE, web(weight=5))
        daemon.reload()
        lab.director.becomes(SHOP_TABLE + "\n" + web_table(5, 5, 0))

        written(tmp_path, SHOP_SERVICE, web(weight=5, check='type = "http"\nexpect = "nobody says this"'))
        daemon.reload()
        lab.director.becomes(SHOP_TABLE + "\n" + web_table(0, 0, 0))

        written(tmp_path, SHOP_SERVICE, web(weight=5, check='type = "tcp"'))
        daemon.reload()
        lab.director.becomes(SHOP_TABLE + "\n" + web_table(5, 5, 0))

        written(tmp_path, SHOP_SERVICE, web(weight=5, check='type = "tcp"', servers=1))
        daemon.reload()
        lab.director.becomes(SHOP_TABLE + "\n" + web_table(5))

        (conf / "1.toml").write_text("[service.web]\nvirtuel = 1\n")
        daemon.reload()
        daemon.says('did you mean "virtual"?')
        assert lab.director.table() == "\n".join(sorted((SHOP_TABLE + "\n" + web_table(5)).splitlines()))

        written(tmp_path, SHOP_SERVICE)
        daemon.reload()
        lab.director.becomes(SHOP_TABLE)
    assert daemon.stop() == 0
    assert untouched(watch.seen, shop) == {SHOP_TABLE}


def untouched(seen: list[tuple[float, Table]], key: ServiceKey) -> set[str]:
    return {repr(found.only(frozenset({key}))) for _, found in seen}


def test_edits_by_hand_are_reported_and_undone(lab: Lab, tmp_path: Path) -> None:
    """Within `resync` a changed weight, a deleted server and a cleared table are as before; others' services stay."""
    director = lab.director
    daemon = director.start(written(tmp_path, web()), tmp_path / "log")
    director.becomes(web_table(1, 1, 1), 60)
    for line in FOREIGN.splitlines():
        director.ipvsadm(line)
    both = web_table(1, 1, 1) + "\n" + FOREIGN

    director.ipvsadm(f"-e {WEB} -r 10.2.0.11:80 -m -w 9")
    daemon.says("10.1.0.100:80/tcp real server 10.2.0.11:80: weight 1 to 9")
    director.becomes(both)
    director.ipvsadm(f"-d {WEB} -r 10.2.0.12:80")
    daemon.says("10.1.0.100:80/tcp real server 10.2.0.12:80: is gone")
    director.becomes(both)
    director.ipvsadm(f"-a {WEB} -r 10.2.0.99:80 -m -w 3")
    daemon.says("10.1.0.100:80/tcp real server 10.2.0.99:80: appeared")
    director.becomes(both)
    director.ipvsadm(f"-E {WEB} -s wlc -p 60")
    daemon.says('10.1.0.100:80/tcp: "-s rr" to "-s wlc -p 60"')
    director.becomes(both)
    director.ipvsadm("-C")
    daemon.says("10.1.0.100:80/tcp: virtual service is gone")
    director.becomes(web_table(1, 1, 1))
    assert daemon.stop() == 0


@pytest.mark.parametrize(("on_exit", "left"), [("keep", web_table(1, 1, 1)), ("withdraw", "")])
def test_stopping_keeps_or_withdraws(lab: Lab, tmp_path: Path, on_exit: str, left: str) -> None:
    """SIGTERM leaves the table as it is, or removes the services that are configured, and no other."""
    for line in FOREIGN.splitlines():
        lab.director.ipvsadm(line)
    settings = f'on_exit = "{on_exit}"'
    daemon = lab.director.start(written(tmp_path, web(), settings=settings), tmp_path / "log")
    lab.director.becomes(web_table(1, 1, 1) + "\n" + FOREIGN, 60)
    assert daemon.stop() == 0
    assert lab.director.table() == "\n".join(sorted(f"{left}\n{FOREIGN}".strip().splitlines()))


def test_a_second_healthd_is_refused(lab: Lab, tmp_path: Path) -> None:
    """Two daemons on one state folder: the second says who holds it, exits with 75 and edits nothing."""
    conf = written(tmp_path, web())
    daemon = lab.director.start(conf, tmp_path / "log")
    lab.director.becomes(web_table(1, 1, 1), 60)
    second = lab.director.healthd("run", "-c", str(conf))
    assert second.returncode == 75
    assert f"process {daemon.process.pid}" in second.stderr
    assert daemon.stop() == 0
    eventually(lab.director.table, "the table is still there")
