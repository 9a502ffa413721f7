import json
import os
import re
import signal
import ssl
import subprocess
import sys
from http.server import HTTPServer
from pathlib import Path

import click
import pytest
import trustme

from checkers.http3 import Http3
from healthd.cli import kinds, probe
from healthd.cli.address import resolved
from healthd.config.options import options_of
from healthd.model import Endpoint
from tests.healthd.cli.conftest import web_server
from tests.healthd.cli.processes import COMMAND, called, environment, healthd
from tests.support.leaping import LeapingClock

PATIENT = ("--timeout", "60s")
"""For servers that answer, if perhaps late on a busy machine."""

PLUGIN = '''
from dataclasses import dataclass
from checkers.base import Checker, Outcome, Target, passed

@dataclass(frozen=True, kw_only=True)
class Mine(Checker):
    """Passes when it is told to."""

    greeting: str
    level: int = 3

    async def check(self, target: Target) -> Outcome:
        return passed("L7OK", f"{self.greeting!r} from {target.where}", weight=self.level)
'''


def steps(text: str) -> list[str]:
    """The lines without their times, which are there in every line."""
    lines = [re.fullmatch(r" *\d+\.\d ms  (.*)", line) for line in text.splitlines()]
    assert all(lines), text
    return [line[1] for line in lines if line]


def test_every_step_of_a_check_that_passes() -> None:
    """Resolved, connected, first byte, verdict: each in its order with its time; status 0."""
    address = resolved("localhost")[0]  # ::1 on many machines
    with web_server(address) as web:
        where = str(Endpoint(address, web.server_port))
        name = f"localhost:{web.server_port}"
        done = healthd("probe", "http", name, *PATIENT, "-o", "path=/health", "-o", "expect=OK")
    assert (done.returncode, done.stderr) == (0, "")
    said = steps(done.stdout)
    assert re.match(rf"localhost is {re.escape(address)}\b", said[0])
    assert said[1:3] == [f"connecting to {where}", f"connected to {where}"]
    assert "first byte of the answer" in said
    assert said[-1].startswith("pass: L7OK ")


def test_tls_is_a_step(web: HTTPServer, tmp_path: Path) -> None:
    """The version of TLS and the cipher are shown once they are agreed."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("www.example.test").configure_cert(context)
    web.socket = context.wrap_socket(web.socket, server_side=True)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    options = (f"ca_file={tmp_path}/ca.pem", "host=www.example.test", "path=/health")
    given = [part for option in options for part in ("-o", option)]
    done = called("probe", "https", f"127.0.0.1:{web.server_port}", *PATIENT, *given)
    assert done.returncode == 0, done.stdout
    said = steps(done.stdout)
    tls = next(number for number, text in enumerate(said) if text.startswith("TLSv1."))
    assert said[tls - 1].startswith("shaking hands for TLS")
    assert said.index("first byte of the answer") > tls


def test_a_check_that_fails(web: HTTPServer) -> None:
    """Status 1 with the evidence; a number on the command line is the text that the option wants."""
    done = called("probe", "http", f"127.0.0.1:{web.server_port}", *PATIENT, "-o", "status=200")
    assert (done.returncode, done.stderr) == (1, "")
    assert steps(done.stdout)[-1].startswith('fail: L7STS answered "HTTP/1.0 404 Not Found"; expected status 200')


def test_a_deadline(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that says nothing is given up after `--timeout`, and the verdict says what was waited for."""
    monkeypatch.setattr(probe, "SystemClock", LeapingClock)  # by the system's this process may be late itself
    done = called("probe", "http", f"127.0.0.1:{silent}", "--timeout", "200ms")
    assert done.returncode == 1
    assert steps(done.stdout)[-1].startswith("fail: L7TOUT no result within 0.2 s while waiting for the answer")


def test_a_check_that_cannot_be_carried_out() -> None:
    """Status 3: the fault is on this side."""
    done = healthd("probe", "command", "127.0.0.1", "-o", 'command=["/nonexistent"]')
    assert (done.returncode, done.stderr) == (3, "")
    assert steps(done.stdout)[-1].startswith("unknown: RUNERR cannot start /nonexistent")


def test_a_name_that_cannot_be_resolved() -> None:
    """Status 3 as well, with the name."""
    done = called("probe", "tcp", "www..example:80")
    assert (done.returncode, done.stderr) == (3, "")
    assert 'unknown: SOCKERR "www..example" cannot be resolved: ' in done.stdout


def test_json(web: HTTPServer) -> None:
    """The same for programs: steps with milliseconds, and the outcome."""
    done = called("probe", "tcp", f"127.0.0.1:{web.server_port}", *PATIENT, "--format", "json")
    content = json.loads(done.stdout)
    assert content.pop("seconds") >= 0
    assert [step["text"] for step in content.pop("steps")] == [
        f"connecting to 127.0.0.1:{web.server_port}",
        f"connected to 127.0.0.1:{web.server_port}",
    ]
    assert content == {
        "kind": "tcp",
        "address": "127.0.0.1",
        "port": web.server_port,
        "status": "pass",
        "code": "L4OK",
        "detail": f"connected to 127.0.0.1:{web.server_port}",
        "weight": None,
        "factor": None,
        "degraded": False,
        "exit": 0,
    }


def test_a_plugin(tmp_path: Path) -> None:
    """A module of `--plugin-dir` is a kind like any other, with its options and their help."""
    (tmp_path / "own.py").write_text(PLUGIN)
    at = ("--plugin-dir", tmp_path)
    done = called("probe", "own:Mine", "[::1]:7", *at, "-o", "greeting=hello", "-o", "level=9")
    assert (done.returncode, steps(done.stdout)) == (0, ["pass: L7OK 'hello' from [::1]:7 (asks for weight 9)"])
    shown = called("probe", "own:Mine", *at, "--help")
    assert shown.returncode == 0
    assert "own:Mine: Passes when it is told to." in shown.stdout
    rows = [line.split("  ") for line in re.sub(r" {2,}", "  ", shown.stdout).splitlines()]
    assert ["greeting", "(required)", "string"] in rows
    assert ["level", "3", "integer"] in rows
    missing = called("probe", "own:Mine", "[::1]:7", *at)
    assert missing.returncode == 64
    assert 'Error: -o: missing key "greeting"' in missing.stderr


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ('{type="nope"}', '-o part.0.type: no check kind "nope".'),
        ('{type="tcp"},{type="command"}', '-o part.1: missing key "command"'),
        ('{type="tcp",bogus=1}', "-o part.0.bogus: unknown key"),
        ('{type="all",part=[{type="dns",edns_size=1}]}', "-o part.0.part.0.edns_size: must be from 512"),
    ],
)
def test_a_part_that_will_not_do(part: str, message: str) -> None:
    """Which part it is, and what of it, is said as of every option."""
    done = called("probe", "all", "127.0.0.1:7", "-o", f"part=[{part}]")
    assert done.returncode == 64
    assert f"Error: {message}" in done.stderr


def test_bytes_that_are_no_text() -> None:
    """A shell may hand them over; a configuration cannot hold them."""
    done = called("probe", "http", "127.0.0.1:7", "-o", os.fsdecode(b"expect=\xff"))
    assert done.returncode == 64
    assert "Error: -o expect: is not UTF-8" in done.stderr


def test_the_list_of_kinds_for_programs() -> None:
    """Each with its line."""
    listed = json.loads(called("probe", "--list", "--format", "json").stdout)
    assert {"tcp", "http", "mysql"} <= {one["kind"] for one in listed}
    assert all(one["summary"] for one in listed)


def test_the_list_of_kinds() -> None:
    """Every built-in kind with a summary."""
    done = called("probe", "--list")
    assert done.returncode == 0
    kinds = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()[1:]}
    assert {"always", "command", "dialog", "dns", "http", "https", "ping", "tcp"} <= kinds.keys()
    assert all(kinds.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "missing KIND and ADDRESS; `healthd probe --list` names the kinds"),
        (["tcp"], "missing ADDRESS: whom to ask, as in `healthd probe tcp 192.168.7.11:80`"),
        (["htp", "127.0.0.1"], 'no check kind "htp"; did you mean "http"?'),
        (["tcp", "127.0.0.1"], "tcp needs a port: write 127.0.0.1:PORT, or -o port=PORT"),
        (["tcp", "[::1"], '"[::1" is not an address: expected '),
        (["tcp", "127.0.0.1:99999"], "the port must be from 1 to 65535"),
        (["tcp", "127.0.0.1:80", "-o", "prot=1"], '-o prot: unknown key; did you mean "port"?'),
        (["tcp", "127.0.0.1:80", "-o", "port=x"], '-o port: expected an integer, not "x" (a string)'),
        (["tcp", "127.0.0.1:80", "-o", "port=0"], "-o port: must be from 1 to 65535, not 0"),
        (["tcp", "127.0.0.1:80", "-o", "port"], '-o "port": expected key=value'),
        (["tcp", "127.0.0.1:80", "-o", "port=1", "-o", "port=2"], "-o port: given twice"),
        (["tcp", "127.0.0.1:80", "--timeout", "3"], 'did you mean "3s"?'),
        (["http", "127.0.0.1:80", "-o", "headers={A=1}", "-o", "method=BREW"], "-o method: expected one of "),
        (["gone:Gone", "127.0.0.1"], "not found in plugin_dir"),
    ],
)
def test_usage(arguments: list[str], message: str) -> None:
    """Status 64 and one plain message for what was wrong on the command line; nothing is asked."""
    done = called("probe", *arguments)
    assert (done.returncode, done.stdout) == (64, "")
    assert message in done.stderr


def test_what_fits_as_text_is_not_complained_of_beside_what_does_not() -> None:
    """`-o status=200` means the text "200", whatever else is wrong; what fits neither way is shown as it was given."""
    options = ["-o", "status=200", "-o", "max_body=true", "-o", "pat=1"]
    done = called("probe", "http", "127.0.0.1", *options)
    assert done.returncode == 64
    assert "-o max_body: expected an integer, not true" in done.stderr
    assert '-o pat: unknown key; did you mean "path"?' in done.stderr
    assert "status" not in done.stderr


def test_secrets_are_not_shown() -> None:
    """The value of an option that may hold a password appears in no message."""
    done = called("probe", "command", "127.0.0.1", "-o", "command=['/bin/true']", "-o", "environment=hunter2")
    assert done.returncode == 64
    assert "-o environment: expected a table, not a string" in done.stderr
    assert "hunter2" not in done.stderr


def test_ctrl_c(silent: int) -> None:
    """SIGINT ends it at once with status 130 and no traceback."""
    arguments = ("probe", "http", f"127.0.0.1:{silent}", "--timeout", "1m")
    process = subprocess.Popen(
        [*COMMAND, *arguments], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    while "connected" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert (process.returncode, error.strip()) == (130, "")


def test_a_library_that_is_missing_is_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is the kind, which nobody has given as -o type."""
    for name in [name for name in sys.modules if name.startswith(("aioquic", "checkers.http3_"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aioquic", None)
    with pytest.raises(click.UsageError) as error:
        kinds.made(Http3, options_of(Http3), ())
    assert str(error.value) == "needs aioquic, which is not installed here: pip install 'healthd[http3]'"
