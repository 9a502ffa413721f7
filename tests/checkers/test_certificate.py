"""The end of a certificate, read from its DER form."""

import datetime as dt
import ssl

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.certificate import NotACertificateError, ends

AUTHORITY = trustme.CA()


def issued(end: dt.datetime) -> bytes:
    leaf = AUTHORITY.issue_cert("www.example.com", not_before=dt.datetime(1970, 1, 2, tzinfo=dt.UTC), not_after=end)
    return ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())


@pytest.mark.parametrize("year", [1999, 2026, 2049, 2050, 2068, 2069, 9999])
def test_years(year: int) -> None:
    """Both forms of a time, on both sides of the year in which RFC 5280 changes from one to the other."""
    end = dt.datetime(year, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
    assert ends(issued(end)) == end


def test_centuries() -> None:
    """Two digits of a year from 50 on are of the last century, as RFC 5280 says and strptime does not."""
    der = issued(dt.datetime(2049, 3, 1, tzinfo=dt.UTC))
    assert ends(der.replace(b"490301000000Z", b"500301000000Z")).year == 1950


WHOLE = issued(dt.datetime(2030, 1, 1, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"0",
        pytest.param(WHOLE[:40], id="cut off"),
        b"\x30\x84\xff\xff\xff\xff" + WHOLE,
        b"\x30\x80" + WHOLE,
        b"\x30\x85\0\0\0\0\1\0",
        WHOLE.replace(b"300101000000Z", b"301301000000Z"),
        WHOLE.replace(b"300101000000Z", b"3001010000+01"),
    ],
)
def test_no_certificates(der: bytes) -> None:
    """Cut short, of enormous or of no length, or with a time that is none."""
    with pytest.raises(NotACertificateError):
        ends(der)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=100),
        st.builds(
            lambda at, byte: WHOLE[:at] + byte + WHOLE[at + 1 :], st.integers(0, 250), st.binary(min_size=1, max_size=1)
        ),
    )
)
def test_any_bytes(der: bytes) -> None:
    """No other exception than the documented one."""
    try:
        assert ends(der).tzinfo is dt.UTC
    except NotACertificateError:
        return
