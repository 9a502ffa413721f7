import asyncio

import pytest

from healthd import events
from healthd.cli import demo
from healthd.clock import ManualClock
from healthd.demo.stage import NotAsExpected, Stage
from healthd.ipvs.memory import MemoryIpvs
from tests.healthd.cli.processes import called, healthd


@pytest.mark.timeout(450)
def test_the_whole_play() -> None:
    """It ends by itself with status 0, having told every transition, every edit and the table before and after."""
    done = healthd("demo", limit=400)
    assert (done.returncode, done.stderr) == (0, "")
    acts = done.stdout.split("\n>> ")
    assert len(acts) == 7
    configuration, start, sick, well, hangs, off, back = acts
    assert 'table = "memory"' in configuration
    assert start.count("unknown -> up") == 3
    for act, change, weight in ((sick, "up -> down", 0), (well, "down -> up", 1), (hangs, "up -> down", 0)):
        assert change in act
        assert f"-m -w {weight}" in act
        assert act.index("table edited:") < act.index("Prot LocalAddress:Port")
    assert "L7STS" in sick
    assert "L7TOUT" in hangs
    assert "L4CON" in off
    assert "fallback server 127.0.0.1:80 takes over" in off
    assert "-> 127.0.0.1:80 " in off
    assert "fallback server 127.0.0.1:80 is withdrawn" in back
    assert "-> 127.0.0.1:80 " not in back
    assert done.stdout.endswith("The demonstration is over: everything happened as it had to.\n")


async def test_what_does_not_happen_ends_it() -> None:
    """A transition that fails to come within the limit is an error that names it, not a hang or a success."""
    clock = ManualClock()
    stage = Stage(events.Bus(), MemoryIpvs(), clock, _say_nothing)
    waiting = asyncio.create_task(stage.events(events.ServerDown, "192.0.2.1:80"))
    await clock.advance(50)
    with pytest.raises(NotAsExpected, match=r"waited 45 s in vain for the event server_down of 192\.0\.2\.1:80"):
        await waiting


async def test_an_event_of_an_act_before_does_not_count() -> None:
    """What is waited for has to happen after it was announced, and of the server it was announced of."""
    clock, bus = ManualClock(), events.Bus()
    stage = Stage(bus, MemoryIpvs(), clock, _say_nothing)
    watching = asyncio.create_task(stage.watch())
    bus.publish(events.ServiceRecovered(at=0.0, service="web", available=1, configured=1))
    await clock.advance(1)
    await stage.events(events.ServiceRecovered)
    stage.announce("the next")
    waiting = asyncio.create_task(stage.events(events.ServiceRecovered))
    await clock.advance(50)
    with pytest.raises(NotAsExpected):
        await waiting
    watching.cancel()


def _say_nothing(text: str, style: str) -> None:
    pass


def test_a_failure_is_the_commands_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 1, with healthd's log and the reason: whoever runs it as a test of an installation needs both."""

    async def fail(*arguments: object, **options: object) -> None:
        raise NotAsExpected("waited in vain")

    monkeypatch.setattr(demo, "perform", fail)
    done = called("demo")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "healthd demo: FAILED: waited in vain"
