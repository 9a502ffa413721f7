from __future__ import annotations

import socket
import ssl
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import trustme

from healthd.config import load
from healthd.control.listening import ControlUnavailable
from healthd.daemon import Daemon
from tests.healthd.cli.processes import healthd
from tests.healthd.control.conftest import OPERATOR, ControlledSite, url
from tests.support.asking import asking


async def fails(site: ControlledSite) -> tuple[str, ...]:
    """What is said of a start that cannot be; nothing has been done by then."""
    with pytest.raises(ControlUnavailable) as caught:
        await Daemon(load(site.folder), site.folder, site.ipvs).run()
    assert site.table == ""
    return caught.value.messages


async def test_the_socket_is_for_its_user_and_group(site: ControlledSite) -> None:
    """Mode 0660, the group that is configured, and it is gone when the daemon is."""
    site.control("group = 4")
    async with site.running():
        found = site.socket.stat()
        assert stat.S_ISSOCK(found.st_mode)
        assert stat.S_IMODE(found.st_mode) == 0o660
        assert found.st_gid == 4
    assert not site.socket.exists()


async def test_a_socket_that_was_left_behind_is_replaced(site: ControlledSite) -> None:
    """After a kill the file is still there, and nobody answers on it."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(site.socket))
    async with site.running(), asking(site.socket) as client:
        assert (await client.get("/healthz")).status == 200


async def test_a_socket_that_somebody_answers_on_is_left_alone(site: ControlledSite) -> None:
    """Nothing is taken away from whoever it belongs to."""
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(site.socket))
        other.listen()
        text = f"control.socket: somebody answers at {site.socket} already, perhaps another healthd"
        assert await fails(site) == (text,)
        with socket.socket(socket.AF_UNIX) as asking_other:
            asking_other.connect(str(site.socket))


async def test_what_is_in_the_way_is_not_removed(site: ControlledSite) -> None:
    """A file that is no socket has another purpose."""
    site.socket.write_text("precious")
    text = f"control.socket: {site.socket} is there already, and is not a socket; remove or rename it"
    assert await fails(site) == (text,)
    assert site.socket.read_text() == "precious"


async def test_a_folder_that_is_not_there(site: ControlledSite) -> None:
    """The message has the kernel's reason and what can be done."""
    site.control(f'socket = "{site.state_dir}/none/c.sock"')
    (message,) = await fails(site)
    assert message.startswith(f"control.socket: {site.state_dir}/none/c.sock cannot be made: No such file or direct")


async def test_an_address_that_cannot_be_had(site: ControlledSite) -> None:
    """Taken, or nobody's: it is said which; and the socket that was made already is taken back."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        site.control(f'listen = ["127.0.0.1:{port}"]')
        text = f"control.listen: 127.0.0.1:{port}: Address already in use; `ss -ltnp 'sport = :{port}'` says by whom"
        assert await fails(site) == (text,)
    assert not site.socket.exists()
    site.control(f'listen = ["192.0.2.1:9080"]\ntokens_file = "{site.tokens()}"')
    text = "control.listen: 192.0.2.1:9080: Cannot assign requested address; no interface of this machine has it"
    assert await fails(site) == (text,)


def test_the_command_says_so(tmp_path: Path) -> None:
    """As a line on standard error, without a traceback, with status 71."""
    site = ControlledSite(tmp_path)
    site.socket.write_text("precious")
    ended = healthd("run", "-c", site.folder)
    assert ended.returncode == 71
    assert ended.stderr.splitlines()[-1] == (
        f"healthd: control.socket: {site.socket} is there already, and is not a socket; remove or rename it"
    )


async def test_off_means_off(site: ControlledSite) -> None:
    """Without a socket and addresses nothing is there; a reload can change that, both ways."""
    site.control('socket = "off"')
    async with site.running() as daemon:
        assert daemon.interface.places == ()
        assert not site.socket.exists()
        site.control("")
        await site.reloaded(daemon)
        async with asking(site.socket) as client:
            assert (await client.get("/healthz")).status == 200
        site.control('socket = "off"')
        await site.reloaded(daemon)
        await site.until(lambda: not site.socket.exists())


async def test_a_reload_moves_it(site: ControlledSite) -> None:
    """What is new is there, what is gone is closed, and what stays was never away."""
    site.control('listen = ["127.0.0.1:0"]')
    async with site.running() as daemon:
        before = url(daemon)
        new = site.state_dir / "new.sock"
        site.control(f'socket = "{new}"\nlisten = ["127.0.0.1:0"]')
        await site.reloaded(daemon)
        await site.until(lambda: not site.socket.exists())
        assert url(daemon) == before
        for where in (new, before):
            async with asking(where) as client:
                assert (await client.get("/healthz")).status == 200


async def test_a_reload_that_cannot_listen_is_refused(site: ControlledSite) -> None:
    """All of it, with the same message as at a start; the old one goes on, and nothing half-made stays behind."""
    async with site.running() as daemon:
        await site.settled()
        before = site.table
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            site.control(f'socket = "{site.state_dir}/other.sock"\nlisten = ["127.0.0.1:{port}"]')
            site.web(weight=7)
            daemon.reload()
            failed = await site.told("reload_failed")
        assert f"control.listen: 127.0.0.1:{port}: Address already in use" in failed.text()
        assert not (site.state_dir / "other.sock").exists()
        assert site.table == before
        async with asking(site.socket) as client:
            state = (await client.get("/api/v1/status")).json
        assert "the last reload failed: the configuration on the disk is not the one in use" in state["unusual"]


class Certificate:
    def __init__(self, folder: Path, name: str) -> None:
        self.authority = trustme.CA()
        issued = self.authority.issue_cert("127.0.0.1", common_name=name)
        self.cert, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        issued.cert_chain_pems[0].write_to_path(self.cert)
        issued.private_key_pem.write_to_path(self.key)
        self.key.chmod(0o600)

    @property
    def trusting(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


async def status_over_tls(where: str, context: ssl.SSLContext) -> int:
    connector = aiohttp.TCPConnector(ssl=context, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session, session.get(f"{where}/healthz") as response:
        return response.status


async def test_tls(site: ControlledSite) -> None:
    """With a certificate every connection on TCP is TLS, at least 1.2; a reload takes another certificate."""
    first, second = (Certificate(site.state_dir, name) for name in ("first", "second"))

    def configure(used: Certificate) -> None:
        files = f'tls_cert = "{used.cert}"\ntls_key = "{used.key}"\ntokens_file = "{site.tokens()}"'
        site.control(f'listen = ["127.0.0.1:0"]\n{files}')

    configure(first)
    async with site.running() as daemon:
        where = url(daemon, "https")
        assert await status_over_tls(where, first.trusting) == 200
        async with asking(where, OPERATOR) as client:
            login = await client.post("login", {"token": OPERATOR})
            assert "Secure" in login.headers["Set-Cookie"]
        configure(second)
        await site.reloaded(daemon)
        assert url(daemon, "https") == where
        assert await status_over_tls(where, second.trusting) == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await status_over_tls(where, first.trusting)
        with pytest.raises(aiohttp.ClientError):
            async with asking(url(daemon)) as plain:
                await plain.get("/healthz")


async def test_a_certificate_that_cannot_be_used(site: ControlledSite) -> None:
    """A key that belongs to another one, and no key at all."""
    first, second = (Certificate(site.state_dir, name) for name in ("first", "second"))
    site.control(f'listen = ["127.0.0.1:0"]\ntls_cert = "{first.cert}"\ntls_key = "{second.key}"')
    (message,) = await fails(site)
    assert message == (
        f"control.tls_cert, control.tls_key: {first.cert} and {second.key} cannot be used: key values mismatch"
    )
    second.key.write_text("nonsense")
    (message,) = await fails(site)
    assert "cannot be used: " in message


async def test_tokens_that_this_user_may_not_read(site: ControlledSite) -> None:
    """They do not count as none: that would let everybody on this machine in."""
    path = site.tokens()
    site.control(f'listen = ["127.0.0.1:0"]\ntokens_file = "{path}"')
    config = load(site.folder)
    unreadable = replace(config, control=replace(config.control, tokens=None))
    with pytest.raises(ControlUnavailable) as caught:
        await Daemon(unreadable, site.folder, site.ipvs).run()
    assert caught.value.messages == (f"control.tokens_file: {path} cannot be read: Permission denied",)


LAZY = """
import asyncio, sys
from healthd.control.server import Control
assert not [name for name in sys.modules if name.partition(".")[0] == "aiohttp"], "aiohttp is imported"
"""


def test_nothing_that_speaks_http_is_imported_before_somebody_comes() -> None:
    """It would make every daemon larger by a quarter, also one that nobody ever asks."""
    subprocess.run([sys.executable, "-c", LAZY], check=True, timeout=60)
