from __future__ import annotations

from healthd.config.values import ServiceConfig
from healthd.model import Table
from healthd.operators.preview import Preview, preview
from healthd.plan import make
from tests.support.building import KEY, OTHER_KEY, A, B, C, check, config, server, service
from tests.support.controlling import table
from tests.support.operating import ORDER, Running

GOOD = table((A, 1), (B, 1))


def plan(site: Running, *services: ServiceConfig) -> Preview:
    return preview(site.plan, make(config(*services)), site.controller.services, site.ipvs.read())


def test_what_changes_nothing_does_nothing() -> None:
    """The configuration in use, once more."""
    assert plan(Running(service(A, B), actual=GOOD), service(A, B)) == Preview()


def test_servers_that_come_go_and_change() -> None:
    """With the edits in ipvsadm's words; a new server is not in the table before it has passed."""
    found = plan(Running(service(A, B), actual=GOOD), service(server(A, 5), C))
    assert found.edits == (
        "-e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 5",
        "-d -t 192.168.7.110:80 -r 10.0.0.2:80",
    )
    assert found.effects == (
        "service web changed",
        "web: server 10.0.0.2:80 removed",
        'web: server 10.0.0.1:80 changed from "-m -w 1" to "-m -w 5"',
        "web: server 10.0.0.3:80 added",
        "web: server 10.0.0.3:80 starts undecided: its first outcomes decide",
    )


def test_services_that_come_and_go() -> None:
    """A new one is adopted as it is found in the table, and one that is gone is taken out of it."""
    found = plan(Running(service(A, B), actual=GOOD), service(A, name="other", key=OTHER_KEY))
    assert found.edits == ("-A -t 192.168.7.111:80 -s wlc", "-D -t 192.168.7.110:80")
    assert found.effects == (
        "service other added",
        "service web removed",
        "other: server 10.0.0.1:80 starts undecided: its first outcomes decide",
    )
    adopted = plan(Running(service(A, B)), service(A, B), service(A, name="other", key=OTHER_KEY))
    assert "other: server 10.0.0.1:80 starts undecided: its first outcomes decide" in adopted.effects


def test_a_service_that_is_in_the_table_already_is_taken_over() -> None:
    """Nothing is edited for it, and none of its servers starts undecided."""
    site = Running(service(A, B), actual=Table({**GOOD.services, OTHER_KEY: GOOD.services[KEY]}))
    found = plan(site, service(A, B), service(A, B, name="other", key=OTHER_KEY))
    assert found == Preview(effects=("service other added",))


def test_checks_that_come_go_and_change() -> None:
    """None of them brings a server up or takes it out before it has been asked."""
    site = Running(service(A, B, checks=[check("tcp"), check("old")]), actual=GOOD)
    found = plan(site, service(A, B, checks=[check("tcp", fall="5"), check("new")]))
    assert found.edits == ()
    assert found.effects == (
        "service web changed",
        "web: check old removed",
        "web: check tcp changed: each server goes on as it is, and its counts begin anew",
        "web: check new added: each server goes on as it is until it has been asked",
    )


def test_a_service_that_is_renamed_goes_on() -> None:
    """It is known by its virtual service."""
    found = plan(Running(service(A, B), actual=GOOD), service(A, B, name="shop"))
    assert found.edits == ()
    assert found.effects == (
        "service shop added",
        "service web removed",
        "shop: goes on from service web, which has the same virtual service",
    )


async def test_what_operators_have_set_is_reckoned_with() -> None:
    """A drained server stays drained whatever its new weight; one that is removed takes that with it."""
    site = Running(service(A, B), actual=GOOD)
    async with site.going():
        await site.operator.drain("web/10.0.0.1:80", ORDER, limit=None)
        await site.settled()
        assert plan(site, service(server(A, 5), B)).edits == ()
        removed = plan(site, service(B)).effects
    assert "web: server 10.0.0.1:80 removed; what an operator has set for it is forgotten" in removed


def test_looking_ahead_changes_nothing() -> None:
    """Neither the memory nor the table knows of it afterwards."""
    site = Running(service(A, B), actual=GOOD)
    site.ask(A, "FF")
    before = site.controller.snapshot
    plan(site, service(B, C, checks=[check(fall="1")]))
    assert site.controller.snapshot == before
    assert site.ipvs.read() == GOOD
    site.ask(A, "F")
    assert len(site.told("server_down")) == 1
