"""Debian's prometheus-alertmanager on loopback, with a folder of its own."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_port

_CONFIGURATION = """
route:
  receiver: nobody
receivers:
  - name: nobody
"""


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL at which it listens."""
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        pytest.skip("Alertmanager is not installed (Debian: prometheus-alertmanager)")
    (folder / "config.yml").write_text(_CONFIGURATION)
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        program,
        f"--config.file={folder}/config.yml",
        f"--storage.path={folder}/data",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    log = folder / "log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            _wait_until_ready(url, process, log)
            yield url
        finally:
            process.kill()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{url}/-/ready", timeout=5):
            return
        time.sleep(0.05)
    pytest.fail(f"Alertmanager did not start: {log.read_text()}")
