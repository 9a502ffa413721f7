import resource

from tests.healthd.cli.configurations import Site
from tests.healthd.cli.processes import Running

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
