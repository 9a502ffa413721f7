import resource
import signal
from collections.abc import Iterator

import pytest

from tests.healthd.cli.configurations import Site
from tests.healthd.cli.processes import Running, wait

SERVERS = 40


def test_out_of_descriptors_takes_no_server_out(site: Site) -> None:
    """A process that can open no socket says so for every check and edits nothing; later all is as before."""
    ports = [site.port() for _ in range(SERVERS)]
    site.write(site.path.read_text() + 'interval = "200ms"\nfast_interval = "200ms"\nfall = 1\n')
    site.service("web", *ports)
    with Running("run", "-c", site.path) as daemon:
        for port in ports:
            daemon.said(f"server {port.where} unknown -> up")
        limits = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (1, limits[1]))
        for port in ports:
            assert "SOCKERR opening a socket: Too many open files" in daemon.said(f"{port.where} could not be checked")
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, limits)
        ports[0].close()
        assert "up -> down" in daemon.said(f"server {ports[0].where} up")
        assert daemon.log.count("up -> down") == 1


@pytest.fixture
def usual() -> Iterator[int]:
    """A soft limit of open files far below the hard one, for what is started meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
    yield 200
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("workers", [0, 1])
def test_scripts_and_hooks_get_the_usual_limit(site: Site, usual: int, workers: int) -> None:
    """Whatever the process that starts them has raised its own to; that one stays raised."""
    port, note = site.port(), site.path.with_name("limits")
    hook = f'["/bin/sh", "-c", "echo hook $(ulimit -Sn) >> {note}"]'
    text = site.path.read_text().replace('timeout = "2s"', 'timeout = "60s"')  # a shell may be slow to start
    site.write(text.replace("[defaults]", f"workers = {workers}\n[defaults]"))
    site.write(site.path.read_text() + f'[alert.note]\ntype = "command"\ncommand = {hook}\nevents = ["started"]\n')
    script = f'["/bin/sh", "-c", "echo script $(ulimit -Sn) >> {note}"]'
    site.service("web", port, check=f'{{ type = "command", command = {script} }}')
    with Running("run", "-c", site.path) as daemon:
        daemon.said(f"server {port.where} unknown -> up")
        wait(lambda: note.exists() and "hook" in note.read_text())
        soft, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        assert soft == hard > usual
        daemon.send(signal.SIGTERM)
        assert daemon.status() == 0
    assert set(note.read_text().splitlines()) == {f"hook {usual}", f"script {usual}"}
