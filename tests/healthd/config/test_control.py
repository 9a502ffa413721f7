from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthd.config import load
from healthd.config.access import Role
from healthd.model import Endpoint
from tests.healthd.config.conftest import Loads, Refuses

SECRET = "0123456789abcdef0123"
WEB = (
    '\n[service.web]\nvirtual = "192.168.7.110:80"\ncheck = { type = "tcp" }\nserver = [{ address = "192.168.7.11" }]\n'
)


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"# who\n\nalice operate {SECRET}\n  noc\tread   {SECRET}x\n")
    path.chmod(0o600)
    return path


def test_without_a_table_there_is_the_socket(loads: Loads) -> None:
    """In state_dir, with the rights of the daemon's own group, and nothing on TCP."""
    control = loads(f'[healthd]\nstate_dir = "/srv/h"\n{WEB}').control
    assert control.socket == Path("/srv/h/control.sock")
    assert (control.group, control.listen, control.tokens) == (None, (), ())


def test_everything(loads: Loads, tokens: Path) -> None:
    """Of the tokens only their digests are kept, and nothing secret is in what can be printed."""
    control = loads(
        f'[control]\nsocket = "/run/h.sock"\ngroup = 4\nlisten = ["[::]:9080", "0.0.0.0:0", "[::]:9080"]\n'
        f'names = ["A.example.com"]\ntokens_file = "{tokens}"\n{WEB}'
    ).control
    assert control.socket == Path("/run/h.sock")
    assert control.group == 4
    assert control.listen == (Endpoint("::", 9080), Endpoint("0.0.0.0", 0))
    assert control.names == ("a.example.com",)
    assert control.tokens is not None
    assert [(token.name, token.role) for token in control.tokens] == [("alice", Role.OPERATE), ("noc", Role.READ)]
    assert control.tokens[0].digest == hashlib.sha256(SECRET.encode()).digest()
    assert SECRET not in repr(control)
    assert repr(control.tokens[0].digest) not in repr(control)


def test_off(loads: Loads) -> None:
    """The socket can be switched off."""
    assert loads(f'[control]\nsocket = "off"\n{WEB}').control.socket is None


def test_what_everybody_can_read_is_no_secret(loads: Loads, tokens: Path) -> None:
    """It is said, and so is a token that would cross the network in clear."""
    tokens.chmod(0o644)
    said = loads(f'[control]\nlisten = ["192.0.2.1:9080"]\ntokens_file = "{tokens}"\n{WEB}').warnings
    assert [message.partition(": ")[2] for message in said] == [
        'control.listen[0]: tokens will cross the network to "192.0.2.1:9080" in clear; set tls_cert and tls_key',
        f'control.tokens_file: everybody on this machine can read "{tokens}"; run chmod o-r on it',
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no token; expected lines of NAME ROLE TOKEN"),
        (b"# nobody yet\n\n", "has no token; expected lines of NAME ROLE TOKEN"),
        (b"alice read \xff\xfe", "is not UTF-8 text"),
        (b"#" * 65537, "is larger than 65536 bytes"),
    ],
)
def test_files_that_are_none(refuses: Refuses, tokens: Path, content: bytes, said: str) -> None:
    """Whatever is in it, the message names the file and the key."""
    tokens.write_bytes(content)
    (message,) = refuses(f'[control]\nlisten = ["127.0.0.1:1"]\ntokens_file = "{tokens}"\n{WEB}')
    assert message == f'3: control.tokens_file: "{tokens}" {said}'


def test_words_in_the_wrong_order_betray_no_secret(refuses: Refuses, tokens: Path) -> None:
    """No message has any part of a line, as any word of it may be the token."""
    tokens.write_text(f"{SECRET} alice read\nalice {SECRET} read\nalice read {SECRET} x\nread alice {SECRET}!\n")
    messages = refuses(f'[control]\nlisten = ["127.0.0.1:1"]\ntokens_file = "{tokens}"\n{WEB}')
    assert len(messages) == 4
    assert SECRET not in "".join(messages)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder that everybody can see into, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_file_that_this_user_may_not_read(tokens: Path, elsewhere: Path) -> None:
    """Is no mistake of the configuration: who may read it is the daemon's user, and this may be another one."""
    moved = elsewhere / "tokens"
    moved.write_bytes(tokens.read_bytes())
    moved.chmod(0o600)
    file = elsewhere / "c.toml"
    file.write_text(f'[control]\nlisten = ["127.0.0.1:1"]\ntokens_file = "{moved}"\n{WEB}')

    load(file)
    os.seteuid(65534)
    try:
        assert load(file).control.tokens is None
    finally:
        os.seteuid(0)
