import signal

import pytest

from healthd.cli import opening
from healthd.cli.exits import Exit, Problem
from healthd.config.values import Settings
from healthd.ipvs import IpvsUnavailable
from healthd.lock import Lock
from tests.healthd.cli.configurations import Site
from tests.healthd.cli.processes import Running, called, healthd


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it(site: Site, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end it with status 0, after it has said why, and without a traceback."""
    port = site.port()
    site.service("web", port)
    with Running("run", "-c", site.path) as process:
        process.said("started")
        process.said(f"server {port.where} unknown -> up")
        process.send(number)
        assert process.status() == 0
        assert process.log.splitlines()[-1].endswith(f" INFO healthd stopped: {number.name}")
        assert "Traceback" not in process.log


def test_reload(site: Site) -> None:
    """SIGHUP with a broken file changes nothing and says what is wrong with it; mended, it is taken over."""
    site.service("web", site.port())
    good = site.path.read_text()
    with Running("run", "-c", site.path) as process:
        process.said("unknown -> up")
        site.write(good.replace("timeout", "timeuot"))
        process.send(signal.SIGHUP)
        refused = process.said("configuration not reloaded")
        assert f'{site.path}:5: defaults.timeuot: unknown key; did you mean "timeout"?' in refused
        site.write(good.replace("weight = 2", "weight = 3"))
        process.send(signal.SIGHUP)
        process.said("configuration reloaded")
        assert "table edited: -" in process.said("-m -w 3")  # -e, or -a where the reload came before the first edit
        process.send(signal.SIGTERM)
        assert process.status() == 0


def test_a_second_one_is_refused(site: Site) -> None:
    """Two on one table: the second ends at once with status 75 and names the first, whichever command it is."""
    site.service("web", site.port())
    with Running("run", "-c", site.path) as first:
        first.said("started")
        for command in (("run",), ("check", "--once")):
            second = healthd(*command, "-c", site.path)
            assert second.returncode == 75
            assert f"{site.state_dir}/lock is locked" in second.stderr
        first.send(signal.SIGTERM)
        assert first.status() == 0


def test_kill_leaves_the_lock_free(site: Site) -> None:
    """The lock ends with the process, however it ends."""
    site.service("web", site.port())
    with Running("run", "-c", site.path) as process:
        process.said("started")
        process.send(signal.SIGKILL)
        assert process.status() == -signal.SIGKILL
    with Lock(site.state_dir):
        pass


def test_warnings_are_logged_at_the_start(site: Site) -> None:
    """What works but is unwise is said once, in the log."""
    site.write(site.path.read_text().replace('timeout = "2s"', 'timeout = "20s"'))
    site.service("web", site.port())
    with Running("run", "-c", site.path) as process:
        assert " WARNING " in process.said("a timeout of 20s is longer than the interval")


def test_bad_configuration(site: Site) -> None:
    """Status 78, every message, and nothing is started: there is not even a state_dir."""
    site.write(site.path.read_text() + "[service.web]\nvirtual = 80\ncheck = 'gone'\n")
    done = called("run", "-c", site.path)
    assert (done.returncode, done.stdout) == (78, "")
    assert len(done.stderr.splitlines()) >= 2
    assert all(line.startswith(f"{site.path}:") for line in done.stderr.splitlines())
    assert not site.state_dir.exists()


def test_no_configuration(site: Site) -> None:
    """Status 78 too, with what was expected there."""
    done = called("run", "-c", site.path.parent / "none")
    expected = "does not exist; expected a TOML file or a folder with *.toml files"
    assert (done.returncode, done.stderr) == (78, f"{site.path.parent}/none: {expected}\n")


@pytest.mark.parametrize(("permission", "status"), [(True, Exit.NOT_PERMITTED), (False, Exit.UNAVAILABLE)])
def test_a_table_that_cannot_be_reached(permission: bool, status: Exit) -> None:  # noqa: FBT001 - a parameter
    """A matter of privilege is 77, of the kernel 69; the message is the one that says what to do."""
    with pytest.raises(Problem) as caught, opening.opened_table(Settings(table="memory")):
        raise IpvsUnavailable("load it with modprobe", permission=permission)
    assert caught.value.status == status
    assert caught.value.messages == ("healthd: load it with modprobe",)
