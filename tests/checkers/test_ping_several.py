"""The `ping` check with several echoes: loss and round-trip limits, in network namespaces of the tests' own."""

import re

import pytest

from checkers.base import Code, OptionError, Status, Target
from checkers.icmp import V4, Family
from checkers.ping import Ping
from tests.checkers.asking import ENOUGH, ask_once
from tests.checkers.echoing import LOOPBACK, SILENT, answered, both, either
from tests.checkers.namespace import as_root, in_namespace, run


@as_root
@both
@either
def test_all_come_back(settings: dict[str, str], kind: Family) -> None:
    """Each of several echoes is counted once; the pass tells how many there were and how long they took."""

    async def talk() -> None:
        outcome = await ask_once(Ping(count=5, max_rtt="40s"), Target(address=LOOPBACK[kind]))
        assert (outcome.status, outcome.code) == (Status.PASS, Code.L4OK), outcome
        told = r"5 echo replies from \S+ in [0-9.]+ to [0-9.]+ ms, of 5 requests"
        assert re.fullmatch(told, outcome.detail), outcome.detail

    in_namespace(settings, talk)


@as_root
@either
def test_loss(settings: dict[str, str]) -> None:
    """As many as `max_loss` may stay away, and one more fails at the deadline, telling how many came."""

    def only(count: int) -> None:
        """No more come through, from now on."""
        run("nft flush ruleset")
        run("nft add table inet t")
        run("nft add chain inet t c { type filter hook input priority 0 ; }")
        limit = f"limit rate over 1/hour burst {count} packets"
        run(f"nft add rule inet t c icmp type echo-request {limit} drop")

    async def talk() -> None:
        only(3)
        target = Target(address="127.0.0.1")
        enough = await ask_once(Ping(count=5, max_loss="40%"), target)
        assert (enough.status, enough.detail.split()[0]) == (Status.PASS, "3"), enough
        only(2)
        missing = await ask_once(Ping(count=5, max_loss="40%"), target, 0.3, again=lambda: only(2))
        assert missing.status is Status.FAIL
        doing = "waiting for 3 of 5 echo replies from 127.0.0.1, of which 2 came"
        assert str(missing) == f"L4TOUT no result within 0.3 s while {doing}"

    in_namespace(settings, talk)


@as_root
@both
@either
def test_slow(settings: dict[str, str], kind: Family) -> None:
    """What comes back later than `max_rtt` is as good as lost, and ends the check at once when it decides."""

    def reply(request: bytes) -> list[bytes]:
        return [bytes([kind.reply]) + request[1:]]

    async def talk() -> None:
        late = await answered(kind, reply, ENOUGH, checker=Ping(max_rtt="50ms"), delay=0.06)
        assert (late.status, late.code) == (Status.FAIL, Code.L4TOUT), late
        told = r"echo replies from \S+ are slow: the one of [0-9.]+ ms is later than max_rtt \(50ms\)"
        assert re.fullmatch(told, late.detail), late
        assert late.seconds < ENOUGH / 2
        several = await answered(kind, reply, ENOUGH, checker=Ping(count=4, max_loss="25%", max_rtt="50ms"), delay=0.06)
        assert several.code == Code.L4TOUT
        assert several.detail.endswith("; 0 of 4 were in time, needed 3")
        in_time = await answered(kind, reply, ENOUGH, checker=Ping(count=4, max_rtt="40s"), delay=0.06)
        assert in_time.status is Status.PASS, in_time

    in_namespace(settings | SILENT, talk)


@as_root
@either
def test_one_that_comes_twice_counts_once(settings: dict[str, str]) -> None:
    """A duplicated reply does not make up for a lost one."""
    first: list[bytes] = []

    def twice(request: bytes) -> list[bytes]:
        first.append(request)
        return [b"\0" + request[1:]] * 2 if len(first) % 2 else []

    async def talk() -> None:
        outcome = await answered(V4, twice, 0.3, checker=Ping(count=2))
        assert outcome.status is Status.FAIL
        assert outcome.detail.endswith("of which 1 came")

    in_namespace(settings | SILENT, talk)


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"count": 0}, "count", "must be from 1 to 50 echoes, not 0"),
        ({"count": 51}, "count", "must be from 1 to 50 echoes, not 51"),
        ({"max_loss": "20"}, "max_loss", 'expected a share from "0%" to "99%", not "20"'),
        ({"max_loss": "100%"}, "max_loss", 'expected a share from "0%" to "99%", not "100%"'),
        ({"max_loss": "50%"}, "max_loss", '"50%" of 1 is not even one echo: raise count'),
        ({"max_loss": "20%", "count": 3}, "max_loss", '"20%" of 3 is not even one echo: "34%" is one of them'),
        ({"max_rtt": "50"}, "max_rtt", 'expected a duration such as "50ms", "5s" or "14d", not "50"'),
        ({"max_rtt": "0ms"}, "max_rtt", 'must be longer than "0s" and at most "36500d", not "0ms"'),
    ],
)
def test_bad_options(options: dict[str, object], option: str, message: str) -> None:
    """Limits that mean nothing are refused when the check is made."""
    with pytest.raises(OptionError) as caught:
        Ping(**options)  # type: ignore[arg-type]  # as they come from a file
    assert (caught.value.option, str(caught.value)) == (option, message)
