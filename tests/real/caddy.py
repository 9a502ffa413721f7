"""Debian's caddy, which speaks HTTP/3 by the library quic-go."""

from __future__ import annotations

from pathlib import Path

from tests.real.programs import Program
from tests.support.ports import free_port

_CONFIGURATION = """\
{{
    admin off
    auto_https off
    default_sni localhost
    storage file_system {folder}
    default_bind 127.0.0.1
    servers {{
        protocols h1 h2 h3
        strict_sni_host insecure_off
    }}
}}
https://localhost:{port}, https://127.0.0.1:{port} {{
    tls {certificate} {key} {{
        {client_auth}
    }}
    header X-Weight "50%"
    respond /health `{{"status": "up"}}` 200
    redir /redirect /health 302
    respond /echo "{{http.request.method}} {{http.request.hostport}} {{http.request.header.X-Asked}}" 200
    respond /nothing "out of order" 503
    root * {folder}
    file_server
}}
"""

_CLIENT_AUTH = """client_auth {{
            mode require_and_verify
            trusted_ca_cert_file {authority}
        }}"""


def caddy(folder: Path, certificate: Path, authority: str | None = None) -> Program:
    """Not started yet. `certificate` is a file with its key; `authority` is of those that clients must have one of."""
    folder.mkdir()
    port, configuration = free_port(), folder / "Caddyfile"
    pem = certificate.read_text()
    begin = pem.index("-----BEGIN CERTIFICATE")  # its key stands before, and has to be in a file of its own
    (folder / "key.pem").write_text(pem[:begin])
    (folder / "certificate.pem").write_text(pem[begin:])
    (folder / "big.txt").write_text("x" * 500_000 + " the end\n")
    text = _CONFIGURATION.format(
        folder=folder,
        port=port,
        certificate=folder / "certificate.pem",
        key=folder / "key.pem",
        client_auth=_CLIENT_AUTH.format(authority=authority) if authority else "",
    )
    configuration.write_text(text)
    command: list[str | Path] = ["caddy", "run", "--config", configuration, "--adapter", "caddyfile"]
    return Program(command, folder, port=port, udp=[port], environment={"HOME": str(folder)})
