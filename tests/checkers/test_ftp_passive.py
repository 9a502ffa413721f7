from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.ftp_passive import port_of
from checkers.replies import MalformedError, Reply


@pytest.mark.parametrize(
    ("line", "port"),
    [
        (b"229 Entering Extended Passive Mode (|||6446|)", 6446),
        (b"229 EPSV ok (!!!65535!)", 65535),
        (b"227 Entering Passive Mode (10,0,0,1,19,137).", 5001),
        (b"227 =127,0,0,1,4,0", 1024),
        (b"227 Entering Passive Mode 192,0,2,1,255,255", 65535),
    ],
)
def test_the_port_is_taken_and_nothing_else(line: bytes, port: int) -> None:
    """RFC 2428, and RFC 1123 for the many forms of the older answer."""
    assert port_of(Reply(line[:3].decode(), (line,))) == port


@pytest.mark.parametrize(
    "line",
    [
        b"229 Entering Extended Passive Mode",
        b"229 (|||0|)",
        b"229 (|||65536|)",
        b"229 (|||123456|)",
        b"229 (||!6446|)",
        b"229 (|1|10.0.0.1|6446|)",
        b"227 (10,0,0,1,0,0)",
        b"227 (10,0,0,1,256,1)",
        b"227 (10,0,0,1,1,256)",
        b"227 (10,0,0,1,19)",
        b"229 (10,0,0,1,19,137)",
        b"227 (|||6446|)",
    ],
)
def test_no_port_is_malformed(line: bytes) -> None:
    """None, an impossible one, or the other command's form; an address in an answer to EPSV is none either."""
    with pytest.raises(MalformedError, match=r'^no port in "22'):
        port_of(Reply(line[:3].decode(), (line,)))


@given(
    st.sampled_from(["227", "229", "250"]), st.binary(max_size=80) | st.from_regex(rb"\((\|\|\||[0-9,]{,30})[0-9]*.\)")
)
def test_any_line_has_a_port_or_is_malformed(status: str, line: bytes) -> None:
    """A port that comes out can be connected to."""
    with suppress(MalformedError):
        assert 1 <= port_of(Reply(status, (line,))) <= 65535
