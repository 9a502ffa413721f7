"""The `dns` check against BIND."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkers.base import Code, OptionError, Status, Target
from checkers.dns import Dns, Dot
from tests.checkers.asking import ask
from tests.support.ports import free_port

NAMED = shutil.which("named") or shutil.which("named", path="/usr/sbin:/usr/local/sbin")

ZONE = f"""\
$TTL 60
@       SOA   ns1 admin 2026010100 3600 600 86400 60
        NS    ns1
        MX    10 Mail
ns1     A     192.0.2.53
www     A     192.0.2.1
        A     192.0.2.2
        AAAA  2001:db8::1
mail    A     192.0.2.25
alias   CNAME www
note    TXT   "hello world"
long    TXT   {" ".join(f'"{i:03}{"x" * 200}"' for i in range(8))}
"""

CONF = """\
options {{
    directory "{folder}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    pid-file none; session-keyfile none; recursion no; dnssec-validation no; notify no;
}};
controls {{ }};
zone "example.test" {{ type primary; file "{folder}/zone"; }};
"""


@contextlib.contextmanager
def running_named(folder: Path) -> Iterator[tuple[Target, subprocess.Popen[str]]]:
    if NAMED is None:
        pytest.skip("BIND is not installed (Debian: apt-get install bind9)")
    port = free_port()
    (folder / "zone").write_text(ZONE)
    (folder / "conf").write_text(CONF.format(folder=folder, port=port))
    command = [NAMED, "-g", "-n", "1", "-c", str(folder / "conf")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if line.rstrip().endswith(" running"):
                    break
            else:
                pytest.fail("named did not start:\n" + "".join(said))
            yield Target(address="127.0.0.1", port=port), process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with running_named(tmp_path_factory.mktemp("named")) as (target, _):
        yield target


async def test_soa_by_default(named: Target) -> None:
    """The SOA of a zone is asked for unless another type is, and the pass shows it."""
    outcome = await ask(Dns(name="example.test"), named)
    assert (outcome.status, outcome.code) == (Status.PASS, Code.L7OK)
    assert outcome.detail.startswith(
        'NOERROR, 1 SOA record, the first "ns1.example.test. admin.example.test. 2026010100'
    )


@pytest.mark.parametrize(
    "checker",
    [
        Dns(name="www.example.test", record="A", expect="192.0.2.2"),
        Dns(name="WWW.Example.test.", record="a", expect="192.0.2.1", transport="tcp"),
        Dns(name="www.example.test", record="AAAA", expect="2001:DB8:0::1"),
        Dns(name="alias.example.test", record="A", expect="192.0.2.1"),
        Dns(name="alias.example.test", record="CNAME", expect="www.EXAMPLE.test"),
        Dns(name="example.test", record="MX", expect="10 mail.example.test."),
        Dns(name="note.example.test", record="TXT", expect="hello world"),
        Dns(name="note.example.test", record="TXT", expect='"hello world"'),
        Dns(name="example.test", expect_regex=r" 20260101\d\d "),
        Dns(name="example.test", record="ANY", expect_regex=r"^10 [Mm]ail", transport="tcp"),
        Dns(name="nobody.example.test", record="A", rcode="nxdomain"),
        Dns(name="elsewhere.test", rcode="REFUSED", recursion_desired=False),
    ],
    ids=repr,
)
async def test_the_expected_answer_passes(named: Target, checker: Dns) -> None:
    """Names compare without regard to case and final dot, addresses by value, a text with or without its quotes."""
    outcome = await ask(checker, named)
    assert (outcome.status, outcome.code) == (Status.PASS, Code.L7OK), outcome


@pytest.mark.parametrize(
    ("checker", "expected"),
    [
        (
            Dns(name="www.example.test", record="A", expect="192.0.2.9"),
            'L7RSP www.example.test A: none is "192.0.2.9": 2 A records, the first "192.0.2.',
        ),
        (
            Dns(name="www.example.test", record="A", expect_regex="^10[.]"),
            'L7RSP www.example.test A: none matches "^10[.]": 2 A records, the first "192.0.2.',
        ),
        (Dns(name="www.example.test"), "L7RSP www.example.test SOA: no such record in the answer (NOERROR)"),
        (
            Dns(name="nobody.example.test", record="A"),
            "L7STS nobody.example.test A: answered NXDOMAIN, expected NOERROR",
        ),
        (Dns(), "L7STS . SOA: answered REFUSED, expected NOERROR"),
        (
            Dns(name="example.test", rcode="SERVFAIL", transport="tcp"),
            "L7STS example.test SOA: answered NOERROR, expected SERVFAIL",
        ),
    ],
    ids=repr,
)
async def test_another_answer_fails(named: Target, checker: Dns, expected: str) -> None:
    """A wrong rcode is L7STS, a wrong or missing record L7RSP; both show what came instead."""
    outcome = await ask(checker, named)
    assert outcome.status is Status.FAIL
    assert str(outcome).startswith(expected)


async def test_truncated_over_udp_is_asked_over_tcp(named: Target) -> None:
    """An answer that does not fit into a UDP message is fetched over TCP, within the same check."""
    outcome = await ask(Dns(name="long.example.test", record="TXT", expect_regex="007x+"), named)
    assert outcome.status is Status.PASS, outcome
    assert outcome.detail.endswith(", over TCP because truncated over UDP")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_stopped_server(tmp_path: Path, transport: str) -> None:
    """Nobody at the port: the ICMP error of UDP says so as clearly as the reset of TCP."""
    checker = Dns(name="example.test", transport="udp" if transport == "udp" else "tcp")
    with running_named(tmp_path) as (target, process):
        assert (await ask(checker, target)).status is Status.PASS
        process.terminate()
        process.wait()
        outcome = await ask(checker, target)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L4CON)
    assert "ECONNREFUSED" in outcome.detail


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"record": "SAO"}, "record", '"SAO" is not a record type; expected one such as SOA, A, AAAA'),
        ({"record": "AXFR"}, "record", "AXFR is not a record that can be asked for"),
        ({"name": "www..example"}, "name", '"www..example" is not a domain name'),
        ({"name": "x" * 64}, "name", "is not a domain name"),
        ({"rcode": "NODOMAIN"}, "rcode", '"NODOMAIN" is not an answer\'s code; expected one of NOERROR, FORMERR,'),
        ({"record": "A", "expect": "www"}, "expect", '"www" is not the text of one A record'),
        ({"record": "ANY", "expect": "192.0.2.1"}, "expect", "with ANY, use expect_regex"),
        ({"expect_regex": "("}, "expect_regex", '"(" is not a regular expression'),
        ({"rcode": "REFUSED", "expect_regex": "x"}, "expect_regex", 'can never be met with rcode = "REFUSED"'),
        ({"port": 0}, "port", "must be from 1 to 65535"),
    ],
)
def test_bad_options(options: dict[str, str], option: str, message: str) -> None:
    """An option that can never work is refused when the check is made, by its name and with what was expected."""
    with pytest.raises(OptionError) as caught:
        Dns(**options)  # type: ignore[arg-type]  # as they come from a file
    assert caught.value.option == option
    assert message in str(caught.value)


def test_dot_is_over_tcp() -> None:
    """The option that contradicts the kind is the one that is named."""
    with pytest.raises(OptionError, match='can be "tcp" only here: TLS is spoken over TCP') as caught:
        Dot(transport="udp")
    assert caught.value.option == "transport"
