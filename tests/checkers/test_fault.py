"""What errors are called."""

import ssl

import pytest

from checkers.fault import tls_ended


def error(text: str, reason: str | None) -> ssl.SSLError:
    made = ssl.SSLError(1, text)
    made.reason = reason  # type: ignore[assignment] # None is what Python has for those that it does not know
    return made


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        (error("", "WRONG_VERSION_NUMBER"), "WRONG_VERSION_NUMBER, what came is no TLS"),
        (
            error("[SSL] tlsv1 alert no application protocol (_ssl.c:1006)", None),
            "TLSV1_ALERT_NO_APPLICATION_PROTOCOL, the server knows none of the protocols of alpn",
        ),
        (error("[SSL] something new (_ssl.c:1006)", None), "SOMETHING_NEW"),
        (error("", "BAD_SIGNATURE"), "BAD_SIGNATURE"),
    ],
)
def test_an_error_of_tls(failed: ssl.SSLError, said: str) -> None:
    """What it means, where its own name does not say so, and that name."""
    assert str(tls_ended(failed, "TLS handshake").outcome) == f"L6RSP TLS handshake: {said}"


@pytest.mark.parametrize(
    ("heard", "shown"),
    [(b"220 mail.example.com\r\n", r': it begins with "220 mail.example.com\r\n"'), (b"\x16\x03\x01\0", ""), (b"", "")],
)
def test_what_is_no_tls_is_shown(heard: bytes, shown: str) -> None:
    """As evidence, where it is no TLS record."""
    failed = tls_ended(error("", "WRONG_VERSION_NUMBER"), "TLS handshake", heard)
    assert failed.outcome.detail == f"TLS handshake: WRONG_VERSION_NUMBER, what came is no TLS{shown}"


@pytest.mark.parametrize(("number", "hint"), [(20, "; ca_file names who is trusted"), (10, ""), (62, "")])
def test_a_certificate_that_is_not_accepted(number: int, hint: str) -> None:
    """OpenSSL's sentence, and what it leaves open."""
    failed = ssl.SSLCertVerificationError(1, "")
    failed.verify_code, failed.verify_message = number, "a reason"
    assert tls_ended(failed, "TLS").outcome.detail == f"TLS: certificate not accepted: a reason{hint}"
