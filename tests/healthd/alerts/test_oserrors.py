"""The errors of connections, for people."""

import socket
import ssl

import pytest

from healthd.alerts.oserrors import words


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(111, "Connect call failed ('127.0.0.1', 1)"), "Connection refused (ECONNREFUSED)"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known"),
        (OSError(13, "Permission denied", "/x/ca.pem"), "[Errno 13] Permission denied: '/x/ca.pem'"),
        (ssl.SSLError(1, "wrong version number"), "wrong version number"),
        (OSError("longer than 4096 bytes"), "longer than 4096 bytes"),
        (ConnectionResetError(), "ConnectionResetError"),
    ],
)
def test_what_is_said(error: OSError, said: str) -> None:
    """What happened, once, and never nothing."""
    assert words(error) == said
