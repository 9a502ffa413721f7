"""Hooks that are run again, and hooks that must not be: over tries, stops and deaths of healthd."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthd.alerts.channel import Channel
from healthd.alerts.command import CommandSink
from healthd.alerts.spool import Spool
from healthd.clock import ManualClock
from healthd.config.values import CommandConfig
from tests.healthd.alerts.making import alert, down, hook, until
from tests.healthd.cli.configurations import Site
from tests.healthd.cli.processes import Running, wait


def lines(path: Path) -> list[str]:
    """Those that are whole: of another one a part may have been written."""
    return path.read_text().split("\n")[:-1] if path.exists() else []


def waiting(folder: Path) -> dict[str, bool]:
    """The messages in the spool, by their ids, and whether a try of them has begun."""
    try:
        messages = [json.loads(path.read_text()) for path in folder.glob("[0-9]*.json")]
    except FileNotFoundError:  # it has been sent meanwhile
        return waiting(folder)
    return {message["id"]: message["begun"] for message in messages}


async def test_a_hook_is_run_again_until_it_has_done_its_work(tmp_path: Path) -> None:
    """Twice it says 75, 5 s apart; then healthd dies, and the next life runs it at once. The id stays the same."""
    told, spool, clock = tmp_path / "told", tmp_path / "spool", ManualClock()
    program = hook(tmp_path / "hook", f"cat >> {told}; [ $(wc -l < {told}) -gt 2 ] || exit 75")
    config = alert(burst=0, sink=CommandConfig(command=(program,)))

    def life() -> Channel:
        return Channel(config, lambda _: CommandSink(config.sink, clock, "lb1"), clock, spool=Spool(spool))  # type: ignore[arg-type]  # a CommandConfig

    first = life()
    first.put(down())
    await until(lambda: first.view.last_error)
    assert "exit status 75 (EX_TEMPFAIL)" in first.view.last_error
    await clock.advance(4.9)
    assert len(lines(told)) == 1
    await clock.advance(0.1)
    await until(lambda: len(lines(told)) == 2 and list(waiting(spool).values()) == [False])
    second = life()
    await second.restore()
    await until(lambda: second.view.sent)
    await second.finished()
    assert waiting(spool) == {}
    assert len({json.loads(line)["id"] for line in lines(told)}) == 1
    assert len(lines(told)) == 3
    first.delivery.abandon()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as made:
        yield made


def test_a_hook_is_never_run_again_when_its_end_is_not_known(site: Site, tmp_path: Path) -> None:
    """healthd is killed while it runs: that message is told to be lost, and the one that waited behind it is sent."""
    told, hold, spool = tmp_path / "told", tmp_path / "hold", site.state_dir / "spool/pager"
    program = hook(tmp_path / "hook", f"cat >> {told}; while [ -e {hold} ]; do sleep 0.05; done")
    port = site.port()
    port.close()
    site.service("web", port)
    rule = f'[alert.pager]\ntype = "command"\ncommand = ["{program}"]\nevents = ["server_down", "service_lost"]\n'
    site.write(site.path.read_text() + rule)
    hold.touch()
    with Running("run", "-c", site.path) as process:
        wait(lambda: sorted(waiting(spool).values()) == [False, True] and lines(told))
        left = waiting(spool)
        process.send(signal.SIGKILL)
        process.status()
    assert [left[json.loads(line)["id"]] for line in lines(told)] == [True]
    hold.unlink()
    (behind,) = [number for number, begun in left.items() if not begun]
    with Running("run", "-c", site.path) as process:
        lost = process.said("healthd ended while it was tried, which may have done half of its work")
        assert lost.endswith(f"not tried again, lost: web: server {port.where} down\n")
        wait(lambda: behind in {json.loads(line)["id"] for line in lines(told)})
        wait(lambda: not waiting(spool))
        process.send(signal.SIGTERM)
        assert process.status() == 0
    numbers = [json.loads(line)["id"] for line in lines(told)]
    assert len(numbers) == len(set(numbers))
