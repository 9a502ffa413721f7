import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from healthd.lock import Lock
from tests.healthd.cli.configurations import Site
from tests.healthd.cli.processes import called, healthd

Run = Callable[..., CompletedProcess[str]]

MISSING_SCRIPT = '{ type = "command", command = ["/nonexistent/check"] }'


def once(site: Site, *more: str, run: Run = called) -> tuple[int, str]:
    """One round; a traceback or any complaint on standard error is never right in these tests."""
    done = run("check", "--once", "-c", site.path, *more)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_silent_when_all_is_well_and_nothing_changed(site: Site) -> None:
    """Cron mails what is printed: edits are told once, and then nothing until something happens."""
    port = site.port()
    site.service("web", port)
    status, text = once(site, run=healthd)
    assert status == 0
    assert text.splitlines() == [
        "All is well: 1 service with 1 server.",
        "",
        "Table edited:",
        "  -A -t 192.0.2.1:80 -s wlc",
        f"  -a -t 192.0.2.1:80 -r {port.where} -m -w 2",
    ]
    assert once(site, run=healthd) == (0, "")


def test_a_server_down(site: Site) -> None:
    """Status 1: the table of the service, the edits, and the evidence in the last line."""
    good, bad = site.port(), site.port()
    site.service("web", good, bad)
    site.service("other", good)
    bad.close()
    status, text = once(site)
    assert status == 1
    picture, edits, trouble = text.split("\n\n")
    head, first, second, others = [re.sub(r" {2,}", "|", line) for line in picture.splitlines()]
    assert head == "SERVICE|VIRTUAL|SERVER|HEALTH|WEIGHT|LAST|TIME"
    assert re.fullmatch(rf"web\|192.0.2.1:80/tcp\|{good.where}\|up\|2\|L4OK\|\d+ ms", first)
    assert re.fullmatch(rf"\|{bad.where}\|down\|0 of 2\|L4CON\|\d+ ms", second)
    assert others == "1 other service is well."
    assert f"  -a -t 192.0.2.1:80 -r {bad.where} -m -w 0" in edits.splitlines()
    refused = f"L4CON connecting to {bad.where}: Connection refused (ECONNREFUSED)"
    assert trouble == f"web: server {bad.where} is down (tcp): {refused}\n"


def test_columns_are_aligned(site: Site) -> None:
    """A column begins at the same place in every line of the table, and no line ends in spaces."""
    good, bad = site.port(), site.port()
    site.service("web-with-a-long-name", good, bad)
    bad.close()
    head, *rows = once(site)[1].split("\n\n")[0].splitlines()
    for title in ("SERVER", "HEALTH", "WEIGHT", "LAST"):
        at = head.index(title)
        assert all(row[at - 2 : at] == "  " and row[at] != " " for row in rows), title
    assert all(line == line.rstrip() for line in (head, *rows))


@pytest.mark.parametrize(
    ("more", "consequence"),
    [
        ('fallback = "127.0.0.9:80"', "fallback server 127.0.0.9:80 answers"),
        ('all_down = "all"', 'every server is back at its configured weight (all_down = "all")'),
        ("", "nobody answers"),
    ],
)
def test_a_service_lost(site: Site, more: str, consequence: str) -> None:
    """Status 2, and what that means for the clients."""
    port = site.port()
    site.service("web", port, more=more)
    port.close()
    status, text = once(site)
    assert status == 2
    assert text.splitlines()[-1] == f"web: no real server left; {consequence}"


def test_a_check_that_cannot_be_carried_out(site: Site) -> None:
    """Status 3: nobody knows, so nobody is taken out, and the line says what is the matter."""
    site.service("web", site.port(), check=MISSING_SCRIPT)
    status, text = once(site)
    assert status == 3
    assert "could not be checked and stays undecided (command): RUNERR" in text
    assert "-w" not in text


def test_the_gravest_decides(site: Site) -> None:
    """A lost service goes before a server that is down, and that before one nobody could ask."""
    up, down = site.port(), site.port()
    down.close()
    site.service("unknown", up, check=MISSING_SCRIPT)
    assert once(site)[0] == 3
    site.service("some", up, down)
    assert once(site)[0] == 1
    site.service("none", down)
    assert once(site)[0] == 2


def test_three_runs_for_three_failures(site: Site) -> None:
    """With fall = 3 the third run in a row takes the server out; until then there is nothing to say."""
    port, other = site.port(), site.port()
    site.service("web", port, other, more="fall = 3\nrise = 2")
    assert once(site)[0] == 0
    port.close()
    assert [once(site) for _ in range(2)] == [(0, "")] * 2
    status, text = once(site, run=healthd)
    assert status == 1
    assert f"  -e -t 192.0.2.1:80 -r {port.where} -m -w 0\n" in text
    port.open()
    status, text = once(site)
    assert status == 1
    assert f"web: server {port.where} is down, but passes again (tcp): L4OK" in text
    status, text = once(site)
    assert status == 0
    assert f"  -e -t 192.0.2.1:80 -r {port.where} -m -w 2\n" in text
    assert once(site) == (0, "")


def test_a_dry_run_keeps_nothing(site: Site) -> None:
    """It tells what a run would do, as often as it is asked, and does not count; nor does it need the lock."""
    port = site.port()
    site.service("web", port, more="fall = 2")
    with Lock(site.state_dir):
        first = once(site, "--dry-run")
        assert "Edits that a run without --dry-run would make:\n  -A -t 192.0.2.1:80" in first[1]
        assert once(site, "--dry-run") == first
    assert not (site.state_dir / "once.json").exists()
    assert once(site)[0] == 0
    port.close()
    assert [once(site, "--dry-run") for _ in range(3)] == [(0, "")] * 3
    assert [once(site)[0] for _ in range(2)] == [0, 2]


def test_json(site: Site) -> None:
    """The documented shape, in every run; the weight of a server outside the table is null."""
    good, bad = site.port(), site.port()
    site.service("web", good, bad, more='on_failure = "remove"')
    bad.close()
    status, text = once(site, "--format", "json")
    content = json.loads(text)
    seconds = [server["last"].pop("seconds") for server in content["services"][0]["servers"]]
    assert all(value >= 0 for value in seconds)
    assert content == {
        "services": [
            {
                "name": "web",
                "virtual": "192.0.2.1:80/tcp",
                "available": 1,
                "fallback_active": False,
                "servers": [
                    {
                        "address": "127.0.0.1",
                        "port": good.number,
                        "health": "up",
                        "degraded": False,
                        "weight": 2,
                        "configured_weight": 2,
                        "last": {"status": "pass", "code": "L4OK", "detail": f"connected to {good.where}"},
                    },
                    {
                        "address": "127.0.0.1",
                        "port": bad.number,
                        "health": "down",
                        "degraded": False,
                        "weight": None,
                        "configured_weight": 2,
                        "last": {
                            "status": "fail",
                            "code": "L4CON",
                            "detail": f"connecting to {bad.where}: Connection refused (ECONNREFUSED)",
                        },
                    },
                ],
            }
        ],
        "edits": ["-A -t 192.0.2.1:80 -s wlc", f"-a -t 192.0.2.1:80 -r {good.where} -m -w 2"],
        "exit": 1,
    }
    assert status == 1
    again = json.loads(once(site, "--format", "json")[1])
    assert (again["edits"], again["exit"]) == ([], 1)


def test_another_healthd_holds_the_table(site: Site) -> None:
    """Status 75, with the process that holds it, and nothing is checked."""
    site.service("web", site.port())
    with Lock(site.state_dir):
        done = healthd("check", "--once", "-c", site.path)
    assert (done.returncode, done.stdout) == (75, "")
    assert re.fullmatch(
        rf"healthd: another healthd \(process \d+\) holds the table: {site.state_dir}/lock is locked\..*\n", done.stderr
    )


def test_without_once(site: Site) -> None:
    """Status 64, and the two things that may have been meant."""
    done = called("check", "-c", site.path)
    assert (done.returncode, done.stdout) == (64, "")
    assert "`healthd check --once`" in done.stderr
    assert "`healthd run`" in done.stderr


def test_bad_configuration(site: Site) -> None:
    """Status 78, with every message on standard error."""
    site.write("[healthd]\ntabel = 1\nresync = 5\n")
    done = called("check", "--once", "-c", site.path)
    assert (done.returncode, done.stdout) == (78, "")
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == [f"{site.path}:2", f"{site.path}:3"]


def test_a_state_dir_that_cannot_be_written_to(site: Site) -> None:
    """Status 77, with the folder, the reason and the cure."""
    site.write(site.path.read_text().replace(str(site.state_dir), "/proc/healthd"))
    done = called("check", "--once", "-c", site.path)
    assert (done.returncode, done.stdout) == (77, "")
    assert done.stderr.startswith("healthd: state_dir /proc/healthd cannot be written to: ")
    assert done.stderr.endswith("or set another state_dir in [healthd]\n")
    assert done.stderr.count("\n") == 1


def test_counters_that_cannot_be_kept(site: Site) -> None:
    """Status 74: without counters N of M is not true, so this is no success."""
    site.service("web", site.port())
    (site.state_dir / "once.json").mkdir(parents=True)
    done = called("check", "--once", "-c", site.path)
    assert (done.returncode, done.stdout) == (74, "")
    assert done.stderr.startswith("healthd: counters cannot be kept: ")
    assert done.stderr.count("\n") == 1


def test_a_plugin_that_raises_is_not_the_servers_fault(site: Site, tmp_path: Path) -> None:
    """Status 3; the traceback for the plugin's author goes to standard error, and the server stays."""
    (tmp_path / "broken.py").write_text(
        "from dataclasses import dataclass\n"
        "from checkers.base import Checker, Outcome, Target\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Broken(Checker):\n"
        "    async def check(self, target: Target) -> Outcome:\n"
        "        raise ZeroDivisionError('oops')\n"
    )
    site.write(site.path.read_text().replace("[defaults]", f'plugin_dir = "{tmp_path}"\n[defaults]'))
    site.service("web", site.port(), check='{ type = "broken:Broken" }')
    done = called("check", "--once", "-c", site.path)
    assert done.returncode == 3
    assert "CRASH Broken raised" in done.stdout
    assert "ZeroDivisionError: oops" in done.stderr
