"""Against systemd-journald itself, in a mount namespace where /run and the log are its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.healthd.cli.processes import environment

JOURNALD = Path("/lib/systemd/systemd-journald")

NAMESPACE = """
set -e
mount -t tmpfs none /run
[ ! -d /var/log/journal ] || mount -t tmpfs none /var/log/journal
mkdir -p /run/systemd/journal /run/log/journal
[ -s /etc/machine-id ] || { systemd-id128 new >/run/machine-id; mount --bind /run/machine-id /etc/machine-id; }
%s 2>/run/journald.log &
journald=$!
for _ in $(seq 200); do [ ! -S /run/systemd/journal/socket ] || break; sleep 0.1; done
"$@"
for _ in $(seq 200); do
    journalctl --quiet --output=json --all SYSLOG_IDENTIFIER=healthd >/run/found
    ! grep -q 'the last' /run/found || break
    sleep 0.1
done
cat /run/found
kill $journald
"""

LOGGING = """
import logging, sys
from healthd.events import FallbackIn
from healthd.log import configure
assert configure("journal", "info", sys.stderr) == ""
log = logging.getLogger("healthd")
event = FallbackIn(at=1.0, service="web", fallback="127.0.0.1:80")
log.log(event.severity, "%s", event.text(), extra={"event": event})
log.info("x" * 500_000)
log.info("the last")
"""


@pytest.mark.skipif(os.geteuid() != 0 or not JOURNALD.exists(), reason="needs root and systemd-journald")
def test_journalctl_reads_it_back() -> None:
    """The fields of an event as systemd's own tools see them, and an entry too long for a datagram whole."""
    done = subprocess.run(
        [
            *["unshare", "--mount", "--propagation", "private", "sh", "-c"],
            NAMESPACE % JOURNALD,
            "-",
            sys.executable,
            "-c",
            LOGGING,
        ],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    event, long, _ = map(json.loads, done.stdout.splitlines())
    assert event["MESSAGE"] == "web: fallback server 127.0.0.1:80 takes over"
    assert event["PRIORITY"] == "2"
    assert (event["HEALTHD_KIND"], event["HEALTHD_SERVICE"]) == ("fallback_in", "web")
    assert len(long["MESSAGE"]) == 500_000
