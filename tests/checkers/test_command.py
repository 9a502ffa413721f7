import os
import re
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, Outcome, Status, Target
from checkers.command import Command
from tests.checkers.asking import ask, longer
from tests.support.processes import running, until

TARGET = Target(
    address="10.0.0.1",
    port=8080,
    service="web",
    server_address="10.0.0.2",
    server_port=80,
    virtual_address="192.168.7.110",
    virtual_port=81,
)
TARGET6 = Target(address="2001:db8::1", port=80, virtual_address="2001:db8::10", virtual_port=81)
MARKED = Target(address="10.0.0.1", port=80, fwmark=10, protocol="fwmark")


@pytest.fixture
def script(tmp_path: Path) -> "Script":
    return Script(tmp_path / "script")


class Script:
    """`script("exit 1")`: the path of a shell script with this body."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, body: str) -> str:
        self._path.write_text(f"#!/bin/sh\n{body}\n")
        self._path.chmod(0o755)
        return str(self._path)


def judged(outcome: Outcome) -> tuple[Status, str, str]:
    return outcome.status, outcome.code, outcome.detail


@pytest.mark.parametrize(
    ("body", "status", "code", "detail"),
    [
        ("echo all is well", Status.PASS, Code.PROCOK, 'exit status 0, printed "all is well"'),
        ("exit 0", Status.PASS, Code.PROCOK, "exit status 0, printed nothing"),
        ("echo no >&2; exit 1", Status.FAIL, Code.PROCERR, 'exit status 1, printed "no"'),
        ("exit 2", Status.FAIL, Code.PROCERR, "exit status 2, printed nothing"),
        ("exit 127", Status.FAIL, Code.PROCERR, "exit status 127, printed nothing"),
        (
            "ulimit -c 0; kill -SEGV $$",
            Status.FAIL,
            Code.PROCERR,
            "killed by SIGSEGV (Segmentation fault), printed nothing",
        ),
        ("kill -KILL $$", Status.FAIL, Code.PROCERR, "killed by SIGKILL (Killed), printed nothing"),
    ],
)
@pytest.mark.parametrize("style", ["plain", "ldirectord", "mon", "nanny", "keepalived"])
async def test_exit_status(style: Any, body: str, status: Status, code: Code, detail: str, script: Script) -> None:
    """Status 0 passes, any other fails and so does a death by signal, in every style; the output is the evidence."""
    outcome = await ask(Command(command=(script(body),), style=style), TARGET)
    assert judged(outcome) == (status, code, detail)


@pytest.mark.parametrize("style", ["plain", "nagios", "keepalived"])
async def test_the_deadline_leaves_no_process(style: Any, script: Script, tmp_path: Path) -> None:
    """A script that ignores SIGTERM, with children that do, fails at the deadline and is gone with all of them."""
    stubborn = 'trap "" TERM; echo $$ >> $run; while :; do sleep 600; done'
    path = script(f"export run={tmp_path}/run.$$; sh -c '{stubborn}' & sh -c '{stubborn}' & {stubborn}")

    def started() -> list[set[int]]:
        """The processes of each run so far."""
        return [{int(number) for number in run.read_text().split()} for run in tmp_path.glob("run.*")]

    command = Command(command=(path,), style=style)
    outcome = await longer(lambda seconds: ask(command, TARGET, seconds), 0.5, lambda _: 3 in map(len, started()))
    told = rf"no result within \S+ s while running {re.escape(path)}, which printed nothing"
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.PROCTOUT)
    assert re.fullmatch(told, outcome.detail)
    assert 3 in map(len, started())
    await until(lambda: not set().union(*started()) & running())


async def test_the_deadline_keeps_the_evidence(script: Script) -> None:
    """What a script said before it hung is shown."""
    path = script("echo asking the database; sleep 600")
    command = Command(command=(path,))
    outcome = await longer(
        lambda seconds: ask(command, TARGET, seconds), 0.5, lambda outcome: "printed nothing" not in outcome.detail
    )
    assert outcome.detail.startswith("no result within ")
    assert outcome.detail.endswith(f' s while running {path}, which printed "asking the database"')


async def test_megabytes_of_output(script: Script) -> None:
    """The script is not blocked, the detail is short."""
    outcome = await ask(Command(command=(script("head -c 20000000 /dev/zero | tr '\\0' x"),)), TARGET)
    assert judged(outcome) == (Status.PASS, Code.PROCOK, f'exit status 0, printed "{"x" * 120}"...')


async def test_output_is_made_printable(script: Script) -> None:
    """Control characters and invalid UTF-8 reach no terminal and no log as they are; several lines become one."""
    path = script(r"printf 'one\n\033[31mred\a\377\342\202\254\n'; exit 1")
    outcome = await ask(Command(command=(path,)), TARGET)
    assert outcome.detail == r'exit status 1, printed "one\n\x1b[31mred\x07\xff€"'


async def test_what_cannot_be_started_is_unknown(tmp_path: Path) -> None:
    """Missing, not executable, a missing interpreter, no format: ours to mend, and no server is to blame."""
    texts = {"plain": (0o644, "#!/bin/sh\n"), "lost": (0o755, "#!/does/not/exist\n"), "empty": (0o755, "")}
    for name, (mode, text) in texts.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    expected = {"missing": "ENOENT", "plain": "EACCES", "lost": "ENOENT", "empty": "ENOEXEC"}
    for name, errno in expected.items():
        path = f"{tmp_path}/{name}"
        outcome = await ask(Command(command=(path,)), TARGET)
        assert (outcome.status, outcome.code) == (Status.UNKNOWN, Code.RUNERR)
        assert outcome.detail.startswith(f"cannot start {path}: ")
        assert f"({errno})" in outcome.detail


@pytest.mark.parametrize(
    ("style", "words", "target", "argv"),
    [
        ("plain", ["{address}", "{port}"], TARGET, ["10.0.0.1", "8080"]),
        ("plain", ["{address}:{port}", "x"], TARGET6, ["2001:db8::1:80", "x"]),
        ("plain", ["{server}", "{virtual}"], TARGET, ["10.0.0.2:80", "192.168.7.110:81"]),
        ("plain", ["{server}", "{virtual}"], TARGET6, ["[2001:db8::1]:80", "[2001:db8::10]:81"]),
        ("plain", ["{server_address}", "{server_port}"], TARGET, ["10.0.0.2", "80"]),
        ("plain", ["{virtual_address}", "{virtual_port}"], TARGET, ["192.168.7.110", "81"]),
        ("plain", ["{service}/{protocol}/{fwmark}"], TARGET, ["web/tcp/0"]),
        ("plain", ["{fwmark}", "{virtual}", "{virtual_port}"], MARKED, ["10", "", "0"]),
        ("plain", ['{"a": {"b": 1}}', "${HOME}", "{}", "{ port }", "a b", "$(id)", "*", "%h"], TARGET, None),
        ("plain", ["{{address}}", "{{print}}"], TARGET, ["{address}", "{print}"]),
        ("ldirectord", [], TARGET, ["192.168.7.110", "81", "10.0.0.1", "8080"]),
        ("ldirectord", ["-v"], TARGET6, ["-v", "[2001:db8::10]", "81", "[2001:db8::1]", "80"]),
        ("ldirectord", [], MARKED, ["10", "0", "10.0.0.1", "80"]),
        ("mon", ["-p", "{port}"], TARGET, ["-p", "8080", "10.0.0.1"]),
        ("mon", [], TARGET6, ["2001:db8::1"]),
        ("mon", ["-x", ";;"], TARGET, ["-x"]),
        ("mon", [";;", "-x"], TARGET, [";;", "-x", "10.0.0.1"]),
        ("nanny", ["%h", "%p", "%h:%p", "100%h"], TARGET, ["10.0.0.1", "8080", "%h:%p", "100%h"]),
        ("nanny", [], TARGET, []),
    ],
)
async def test_arguments(
    style: Any, words: list[str], target: Target, argv: list[str] | None, script: Script, tmp_path: Path
) -> None:
    """The script gets exactly these arguments; what is no placeholder reaches it unchanged, as no shell sees it."""
    path = script(f'printf \'%s\\n\' "$#" "$@" > {tmp_path}/argv')
    await ask(Command(command=(path, *words), style=style), target)
    wanted = words if argv is None else argv
    assert (tmp_path / "argv").read_text().splitlines() == [str(len(wanted)), *wanted]


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ('print "@ARGV"; exit(0);', Status.PASS, 'exit status 0, printed "192.168.7.110 81 10.0.0.1 8080"'),
        ('my $found = "@ARGV";', Status.PASS, "exit status 0, printed nothing"),
        ("exit(3);", Status.FAIL, "exit status 3, printed nothing"),
        ('die "no answer\\n";', Status.FAIL, 'exit status 255, printed "no answer"'),
    ],
)
async def test_external_perl(body: str, status: Status, detail: str, tmp_path: Path) -> None:
    """What ldirectord runs within itself runs here with the same arguments and the same result."""
    (tmp_path / "check.pl").write_text(body)
    outcome = await ask(Command(command=("perl", f"{tmp_path}/check.pl"), style="ldirectord"), TARGET)
    assert (outcome.status, outcome.detail) == (status, detail)


@pytest.mark.parametrize(
    ("body", "status", "weight"),
    [
        ("exit 0", Status.PASS, None),
        ("exit 2", Status.PASS, 0),
        ("exit 255", Status.PASS, 253),
        ("exit 1", Status.FAIL, None),
    ],
)
async def test_misc_dynamic(body: str, status: Status, weight: int | None, script: Script) -> None:
    """A script of keepalived's asks for a weight by its exit status; only 1 is a failure."""
    outcome = await ask(Command(command=(script(body),), style="keepalived", dynamic=True), TARGET)
    assert (outcome.status, outcome.weight) == (status, weight)


async def test_a_line_of_json(script: Script) -> None:
    """What a script says of itself is in the outcome."""
    path = script("""echo working; echo '{"detail": "7 jobs", "weight": 30, "degraded": true}'""")
    outcome = await ask(Command(command=(path,), output="json"), TARGET)
    assert (outcome.status, outcome.detail) == (Status.PASS, 'exit status 0, "7 jobs"')
    assert (outcome.weight, outcome.degraded) == (30, True)


async def test_environment(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script sees these variables and nothing else of healthd's own."""
    monkeypatch.setenv("SECRET", "of healthd")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("HOME", "/root")
    monkeypatch.delenv("LC_ALL", raising=False)
    path = script("tr '\\0' '\\n' < /proc/$$/environ > " + f"{tmp_path}/environment")
    await ask(Command(command=(path,), environment={"EXTRA": "a=b c", "HOME": "/nowhere"}), TARGET)
    assert sorted((tmp_path / "environment").read_text().splitlines()) == [
        "EXTRA=a=b c",
        "HEALTHD_ADDRESS=10.0.0.1",
        "HEALTHD_FWMARK=0",
        "HEALTHD_INTERFACE=",
        "HEALTHD_MARK=0",
        "HEALTHD_PORT=8080",
        "HEALTHD_PROTOCOL=tcp",
        "HEALTHD_SERVER=10.0.0.2:80",
        "HEALTHD_SERVER_ADDRESS=10.0.0.2",
        "HEALTHD_SERVER_PORT=80",
        "HEALTHD_SERVICE=web",
        "HEALTHD_SOURCE=",
        "HEALTHD_VIRTUAL=192.168.7.110:81",
        "HEALTHD_VIRTUAL_ADDRESS=192.168.7.110",
        "HEALTHD_VIRTUAL_PORT=81",
        "HOME=/nowhere",
        "LANG=C.UTF-8",
        f"PATH={os.environ['PATH']}",
    ]


async def test_mon_names_the_service_and_shows_the_summary(script: Script) -> None:
    """A mon monitor finds the service in MON_GROUP and MON_SERVICE, and its first lines are what is shown."""
    path = script('echo "$MON_GROUP $MON_SERVICE"; echo details; echo more')
    outcome = await ask(Command(command=(path,), style="mon"), TARGET)
    assert outcome.detail == 'exit status 0, printed "web web", then "details"'


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("echo OK", Status.PASS, Code.PROCOK),
        ("printf OKx", Status.PASS, Code.PROCOK),
        ("printf OK", Status.FAIL, Code.L7RSP),
        ("echo OK; echo more", Status.FAIL, Code.L7RSP),
        ("echo ' OK'", Status.FAIL, Code.L7RSP),
        ("exit 0", Status.FAIL, Code.L7RSP),
        ("echo OK; exit 1", Status.FAIL, Code.PROCERR),
    ],
)
async def test_nanny_compares_the_output(body: str, status: Status, code: Code, script: Script) -> None:
    """All of the output but its last character equals `expect`, and a failed script fails whatever it says."""
    outcome = await ask(Command(command=(script(body),), style="nanny", expect="OK", output_limit=4), TARGET)
    assert (outcome.status, outcome.code) == (status, code)


async def test_nanny_shows_what_came_instead(script: Script) -> None:
    """The evidence is what was printed, beside what should have been."""
    outcome = await ask(Command(command=(script("echo BAD"),), style="nanny", expect="OK"), TARGET)
    assert outcome.detail == 'exit status 0, printed "BAD", not "OK" and one character more'
