"""The commands against a real daemon, over its real socket."""

import itertools
import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.healthd.cli.operating import Director
from tests.healthd.cli.processes import Running, called, healthd, wait


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Director]:
    with Director(tmp_path_factory.mktemp("d")) as made:
        yield made


@pytest.fixture
def shared(kept: Director) -> Director:
    """One for all tests that leave its ports and its configuration alone; nothing is set on it at the beginning."""
    kept.ok("ready", "*/*")
    kept.ok("weight", "*/*", "100%")
    return kept


@pytest.fixture
def director(tmp_path: Path) -> Iterator[Director]:
    with Director(tmp_path) as made:
        yield made


def test_status(director: Director) -> None:
    """Every server with its state; the gravest of it is the exit status."""
    lines = director.ok("status").splitlines()
    assert ": 2 services, 4 servers: 4 up; healthd" in lines[0]
    header = next(line for line in lines if line.startswith("SERVICE"))
    assert header.split()[:5] == ["SERVICE", "SERVER", "STATE", "WEIGHT", "CONN"]
    first = director.ports[0].where
    assert next(line for line in lines if first in line).split()[:4] == ["web", first, "up", "2"]
    director.close(0)
    done = director.run("status", "web", "--state", "down,maint")
    assert done.returncode == 1
    assert "Connection refused (ECONNREFUSED)" in done.stdout
    assert "1 of 4 servers shown." in done.stdout
    director.close(1, 2)
    assert director.run("status").returncode == 2
    assert director.run("status", "mail").returncode == 0
    assert director.run("status", "--format", "nagios").returncode == 2


def test_status_for_programs(shared: Director) -> None:
    """All of it, or what was asked for, with the same exit status."""
    whole = shared.json("status")
    assert [len(service["servers"]) for service in whole["services"]] == [3, 1]
    one = shared.json("status", f"web/{shared.ports[1].where}")
    assert [server["name"] for service in one["services"] for server in service["servers"]] == [shared.ports[1].where]
    titles, *rows = (line.split("\t") for line in shared.ok("status", "--format", "tsv").splitlines())
    assert [dict(zip(titles, row, strict=True))["state"] for row in rows] == ["up"] * 4


def test_drain_and_ready(shared: Director) -> None:
    """Weight 0 with who, why and until when; back at once by `ready`; the edits are told."""
    name = shared.ports[0].where
    said = shared.ok("drain", f"web/{name}", "--max", "5m", "--reason", "new kernel")
    assert f"-e -t 192.0.2.1:80 -r {name} -m -w 0" in said
    assert said.count(" -w 0") == 1
    server = shared.server(name)
    assert (server["state"], server["weight"], server["override"]["reason"]) == ("drain", 0, "new kernel")
    assert "drained until 2" in said
    assert "drain" in shared.ok("status", "--state", "drain")
    assert f"-e -t 192.0.2.1:80 -r {name} -m -w 2" in shared.ok("ready", f"web/{name}")
    assert shared.server(name)["override"] is None


def test_an_override_outlives_the_daemon(director: Director) -> None:
    """A crash, a restart: it is as it was, and shown."""
    name = director.ports[0].where
    director.ok("maint", f"web/{name}", "--ttl", "2h", "--reason", "disk")
    director.kept("disk")
    director.stop()
    done = director.run("status")
    assert done.returncode == 69
    assert "nobody listens" in done.stderr
    director.process = Running("run", "-c", director.site.path)
    director.said("started")
    assert director.server(name)["override"]["reason"] == "disk"
    assert re.search(r"maint 1h5\dm", director.run("status").stdout)


def test_what_min_available_forbids(shared: Director) -> None:
    """Refused with status 75 and in words, unless it is forced; all of an act or nothing."""
    done = shared.run("drain", "web/*")
    assert done.returncode == 75
    assert "--force" in done.stderr
    assert shared.run("status").returncode == 0
    shared.ok("drain", "web/*", "--force")
    assert shared.json("status")["totals"]["drain"] == 3


def test_weight(shared: Director) -> None:
    """A number, a share, and back by 100%."""
    name = f"web/{shared.ports[0].where}"
    shared.ok("weight", name, "7")
    assert shared.server(shared.ports[0].where)["weight"] == 7
    shared.ok("weight", name, "50%", "--reason", "slow disk")
    assert "slow disk" in shared.run("status").stdout
    assert shared.server(shared.ports[0].where)["weight"] == 1
    shared.ok("weight", name, "100%")
    assert shared.server(shared.ports[0].where)["override"] is None
    assert shared.run("weight", name, "heavy").returncode == 64


def test_freeze_and_thaw(director: Director) -> None:
    """Told first as long as it lasts; what is found meanwhile follows when it ends."""
    director.ok("freeze", "--ttl", "30m", "--reason", "looking")
    first = director.ports[0].where
    director.close(0)
    done = director.run("status")
    assert done.stdout.splitlines()[1].startswith("! frozen")
    wait(lambda: director.json("status")["table"]["pending"])
    director.ok("thaw")
    director.said(f"-e -t 192.0.2.1:80 -r {first} -m -w 0")
    assert director.json("status")["frozen"] is None


def test_check_now(shared: Director) -> None:
    """It is known at once."""
    assert shared.ports[0].where in shared.ok("check-now", f"web/{shared.ports[0].where}")


def test_reload(director: Director) -> None:
    """What has changed, or nothing; a broken file is refused with its errors, line by line."""
    assert director.ok("reload") == "Reloaded: nothing has changed.\n"
    text = director.site.path.read_text()
    director.site.service("more", director.site.port())
    assert "more" in director.ok("reload")
    director.site.write(text.replace("fall = 2", "fal = 2"))
    done = director.run("reload")
    assert done.returncode == 78
    assert 'did you mean "fall"?' in done.stderr
    assert "the old configuration goes on" in done.stderr


def test_plan(director: Director, tmp_path: Path) -> None:
    """The edits that another configuration would make, and none is made; its errors with status 78."""
    assert director.ok("plan") == "Nothing would change.\n"
    new = tmp_path / "new.toml"
    new.write_text(director.site.path.read_text().replace("weight = 2", "weight = 9", 1))
    done = called("plan", "-c", new)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"-e -t 192.0.2.1:80 -r {director.ports[0].where} -m -w 9" in done.stdout
    assert director.server(director.ports[0].where)["configured_weight"] == 2
    new.write_text(director.site.path.read_text().replace("fall = 2", "fal = 2"))
    done = called("plan", "-c", new)
    assert done.returncode == 78
    assert 'did you mean "fall"?' in done.stderr
    assert (
        called("plan", "-c", tmp_path / "none.toml", "--socket", director.site.state_dir / "control.sock").returncode
        == 78
    )


def test_show_and_explain(director: Director) -> None:
    """Everything about one; why it is so, with the outcomes, the rule and the edits."""
    first = director.ports[0].where
    director.close(0)
    shown = director.ok("show", f"web/{first}")
    assert "state         down since " in shown
    assert "because of  fail in" in shown
    assert "2 of 3 servers available" in director.ok("show", "web")
    told = director.ok("explain", f"web/{first}")
    assert "server_down: up -> down; 2 of 3 servers available then" in told
    assert "After 2 outcomes of check tcp:" in told
    assert f"-e -t 192.0.2.1:80 -r {first} -m -w 0" in told
    assert "2 passes in a row bring it back (rise = 2)" in told
    director.ok("drain", f"web/{first}", "--reason", "new disk")
    assert "Set by an operator:\n  drain by root" in director.ok("explain", f"web/{first}")


@pytest.mark.parametrize(
    "command",
    [
        ("show", "nope"),
        ("show", "web/192.0.2.99:80"),
        ("explain", "web/192.0.2.99:80"),
        ("drain", "nope"),
        ("status", "nope"),
        ("alert", "test", "nope"),
        ("alert", "test"),
    ],
)
def test_what_is_not_there(shared: Director, command: tuple[str, ...]) -> None:
    """Status 66, and one line that says so."""
    done = shared.run(*command)
    assert (done.returncode, done.stdout) == (66, "")
    assert done.stderr.startswith("healthd: ")


def test_commands_as_processes(shared: Director) -> None:
    """The socket is found by an option, by the environment and by the configuration; statuses reach the shell."""
    socket = shared.site.socket
    assert healthd("status", "--socket", socket).returncode == 0
    assert healthd("status", "-c", shared.site.path).returncode == 0
    assert healthd("drain", "web/*", "--socket", socket).returncode == 75


def test_following(director: Director) -> None:
    """`events -f` tells what happens, waits for a daemon that restarts, and ends by Ctrl-C."""
    with director.terminal("events", "-f", columns=200) as terminal:
        name, weights = f"web/{director.ports[0].where}", itertools.count(100)
        # Nothing is said before something happens, so it happens until it is seen: what is set already is no event.
        terminal.until(
            lambda: (
                bool(director.ok("weight", name, str(next(weights)), "--reason", "first")) and "first" in terminal.text
            )
        )
        director.stop()
        terminal.shows("UNREACHABLE since")
        director.process = Running("run", "-c", director.site.path)
        terminal.shows("reachable again")
        director.said("started")
        director.ok("weight", name, "60%", "--reason", "second")
        terminal.shows("second")
        terminal.interrupt()
        assert terminal.ended() == 130


def test_watching(director: Director) -> None:
    """The picture follows, says when the daemon is gone, and goes on when it is back."""
    with director.terminal("status", "--watch", "0.2") as terminal:
        terminal.shows("4 up")
        director.ok("drain", f"web/{director.ports[0].where}")
        terminal.shows("3 up, 1 drain")
        terminal.until(lambda: terminal.style("drain by root") not in {"", "red"})
        director.stop()
        terminal.shows("UNREACHABLE since")
        terminal.shows("3 up, 1 drain")
        director.process = Running("run", "-c", director.site.path)
        terminal.until(lambda: "UNREACHABLE" not in terminal.text)
        terminal.interrupt()
        assert terminal.ended() == 130


def test_top(director: Director) -> None:
    """Against the real thing."""
    with director.terminal("top", "-n", "0.2") as terminal:
        terminal.shows("4 servers by trouble")
        director.ports[0].close()
        terminal.shows("3 up, 1 down")
        terminal.type("\n")
        terminal.shows("because of")
        terminal.type("q")
        assert terminal.ended() == 0


def test_waiting_for_a_drain(shared: Director) -> None:
    """With nobody connected it is done at once, and says so."""
    name = f"web/{shared.ports[0].where}"
    assert f"{name}: no connection left" in shared.ok("drain", name, "--wait")
    done = shared.run("drain", name, "--wait", "--format", "json")
    assert json.loads(done.stdout)["servers"] == [{"server": name, "ended": "no connection left", "well": True}]


def test_a_daemon_that_stops_meanwhile(director: Director) -> None:
    """A stopped daemon is one that cannot be reached."""
    assert director.process is not None
    director.process.send(signal.SIGTERM)
    assert director.process.status() == 0
    done = director.run("status")
    assert done.returncode == 69
    assert director.run("status", "--format", "nagios").returncode == 3
