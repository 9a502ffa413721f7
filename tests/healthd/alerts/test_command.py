import asyncio
import errno
import json
import os
from pathlib import Path

import pytest

from healthd.alerts.command import CommandSink, standard_input, variables
from healthd.alerts.sink import NotSentError
from healthd.clock import Clock, ManualClock
from healthd.config.values import CommandConfig
from healthd.events import Event, TableError
from tests.healthd.alerts.making import AT, batch, down, hook, lost, until, up


async def run(
    script: str, folder: Path, *events: Event, clock: Clock | None = None, arguments: tuple[str, ...] = ()
) -> None:
    """By default no deadline strikes, however slow this machine is."""
    command = (hook(folder / "hook.sh", script), *arguments)
    sink = CommandSink(CommandConfig(command=command, timeout=0.5), clock or ManualClock(), "lb1")
    await sink.send(batch(*events), set())


async def test_a_hook_gets_json_variables_and_its_own_arguments(tmp_path: Path) -> None:
    """Everything about the events on standard input, the essentials in the environment, arguments as configured."""
    script = f'cd {tmp_path}; cat > stdin; env | grep ^HEALTHD_ | sort > env; echo "$@" > args; echo "$PATH" > path'
    await run(script, tmp_path, down(), arguments=("$HOME", "a b"))
    told = json.loads((tmp_path / "stdin").read_text())
    assert (told["alert"], told["host"], told["lost"]) == ("ops", "lb1", 0)
    assert told["text"] == "web: server 10.0.0.1:80 down"
    assert told["events"] == [down().record()]
    assert (tmp_path / "env").read_text().splitlines() == [
        "HEALTHD_ALERT=ops",
        "HEALTHD_COUNT=1",
        "HEALTHD_EVENT=server_down",
        "HEALTHD_NEW=down",
        "HEALTHD_OLD=up",
        "HEALTHD_SERVER=10.0.0.1:80",
        "HEALTHD_SERVICE=web",
        "HEALTHD_SEVERITY=warning",
        f"HEALTHD_TEXT={down().text()}",
    ]
    assert (tmp_path / "args").read_text() == "$HOME a b\n"
    assert (tmp_path / "path").read_text() != "\n"


def test_variables_of_many_events_are_those_of_the_worst() -> None:
    """The first subject of the message is described, the count is that of all events."""
    values = variables(batch(down("10.0.0.2:80"), up("10.0.0.2:80"), down(), lost("mail")))
    assert values["HEALTHD_EVENT"] == "service_lost"
    assert values["HEALTHD_SERVICE"] == "mail"
    assert values["HEALTHD_SEVERITY"] == "critical"
    assert values["HEALTHD_COUNT"] == "4"
    assert values["HEALTHD_SERVER"] == values["HEALTHD_OLD"] == values["HEALTHD_NEW"] == ""
    assert values["HEALTHD_TEXT"].startswith("4 events: mail has no server left, ")


def test_variables_of_down_and_up_again_span_both() -> None:
    """From up to up: nothing is different at the end, and the text says what was in between."""
    values = variables(batch(down(), up()))
    assert (values["HEALTHD_OLD"], values["HEALTHD_NEW"], values["HEALTHD_EVENT"]) == ("up", "up", "server_up")
    assert values["HEALTHD_TEXT"] == "web: server 10.0.0.1:80 down and up again"


async def test_hostile_evidence_starts_no_less_a_program(tmp_path: Path) -> None:
    """NUL, line breaks, lone surrogates, megabytes in what a server answered: the hook runs and sees them escaped."""
    evidence = "a\0b\n\ud800" + "x" * 1_000_000
    await run(f'printf %s "$HEALTHD_TEXT" > {tmp_path}/text; cat > {tmp_path}/stdin', tmp_path, down(detail=evidence))
    text = (tmp_path / "text").read_text()
    assert "a\\x00b\\n\\ud800xxx" in text
    assert len(text) == 4096
    assert json.loads((tmp_path / "stdin").read_text())["events"][0]["outcomes"][0]["detail"] == evidence


async def test_a_hook_need_not_read(tmp_path: Path) -> None:
    """A program that leaves a large standard input unread is well."""
    await run("exit 0", tmp_path, *[down()] * 1000)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo no such pager; echo really >&2; exit 3", 'hook.sh: exit status 3, output "no such pager\\nreally\\n"'),
        ("exit 1", "hook.sh: exit status 1, no output"),
        ("kill -SEGV $$", "hook.sh: killed by SIGSEGV (Segmentation fault), no output"),
    ],
)
async def test_failure_is_told_with_its_output(tmp_path: Path, script: str, reason: str) -> None:
    """How the hook ended and what it said, on one line; it is not run again, as it may have done half of its work."""
    with pytest.raises(NotSentError) as failure:
        await run(script, tmp_path, down())
    assert str(failure.value).endswith(reason)
    assert failure.value.final


async def test_a_hook_may_ask_to_be_run_again(tmp_path: Path) -> None:
    """EX_TEMPFAIL of sysexits.h: nothing has been done, and it is not the end."""
    with pytest.raises(NotSentError) as failure:
        await run("echo the pager is busy; exit 75", tmp_path, down())
    assert str(failure.value).endswith(r'hook.sh: exit status 75 (EX_TEMPFAIL), output "the pager is busy\n"')
    assert not failure.value.final


async def test_megabytes_of_output_do_no_harm(tmp_path: Path) -> None:
    """A bounded part is shown."""
    with pytest.raises(NotSentError) as failure:
        await run("yes | head -c 5000000; exit 1", tmp_path, down())
    assert len(str(failure.value)) < 2000


async def test_a_hanging_hook_is_killed_with_its_children(tmp_path: Path) -> None:
    """At the deadline the whole process group goes, TERM ignored or not."""
    pids, clock = tmp_path / "pids", ManualClock()
    script = f"echo calling the pager; trap '' TERM; sleep 1000 & echo $$ $! > {pids}; wait"
    running = asyncio.create_task(run(script, tmp_path, down(), clock=clock))
    await until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    await clock.advance(0.5)
    with pytest.raises(NotSentError) as failure:
        await running
    assert str(failure.value).endswith(
        r'hook.sh: not done within 0.5 s, killed with its children, output "calling the pager\n"'
    )
    for pid in pids.read_text().split():
        await until(lambda pid=pid: not is_running(pid))  # type: ignore[misc]  # mypy infers no type for a default


def is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_a_hook_that_cannot_be_started_says_why(tmp_path: Path) -> None:
    """A missing program is named. It has done nothing, and may come back: a package is being upgraded."""
    sink = CommandSink(CommandConfig(command=(str(tmp_path / "missing"),)), ManualClock(), "lb1")
    with pytest.raises(NotSentError, match=r"hook: cannot start .*missing: No such file or directory") as failure:
        await sink.send(batch(down()), set())
    assert not failure.value.final


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE])
async def test_a_machine_that_cannot_start_it_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Nothing has been done, and it is not the end."""

    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_spawn", refuse)
    with pytest.raises(NotSentError, match=errno.errorcode[number]) as failure:
        await run("exit 0", tmp_path, down())
    assert not failure.value.final


async def test_a_hook_that_was_started_and_cannot_be_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's fault too, but the program ran: that is the end."""

    def refuse(_: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    with pytest.raises(NotSentError, match=r"hook.sh: started, and then lost: Too many open files") as failure:
        await run("exit 0", tmp_path, down())
    assert failure.value.final


def test_the_json_is_one_line_and_counts_what_was_lost() -> None:
    """Events without server or service are told like any others."""
    error = TableError(at=AT, errors=("Operation not permitted",), retry_in=2.0)
    data = standard_input(batch(error, lost=3), "lb1")
    assert data.count(b"\n") == 1
    told = json.loads(data)
    assert told["lost"] == 3
    assert told["events"][0]["errors"] == ["Operation not permitted"]
