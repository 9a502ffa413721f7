"""Debian's nginx as one server of many protocols, each on a port of its own."""

from dataclasses import dataclass
from pathlib import Path

from tests.real.programs import Program
from tests.support.ports import free_ports

_CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; default_type application/json; absolute_redirect off;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    ssl_certificate {certificate}; ssl_certificate_key {certificate};
    server {{
        listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl;
        listen 127.0.0.1:{h2c} http2; listen 127.0.0.1:{h2} ssl http2;
        root {folder};
        location = /health {{
            add_header X-Weight "50%";
            return 200 '{{"status": "up", "queue": 7, "over": "$server_protocol"}}';
        }}
        location = /status/503 {{ return 503 "out of order"; }}
        location = /redirect {{ return 302 /health; }}
        location = /echo {{ return 200 "$request_method $http_host $http_x_asked $http_authorization $http_cookie"; }}
        location = /big {{ try_files /big.txt =500; }}
        location = /login {{ add_header Set-Cookie "session=s3; Path=/"; return 200 '{{"token": "t 1"}}'; }}
        location = /page {{
            if ($http_cookie != "session=s3") {{ return 403 "who are you"; }}
            if ($arg_token != "t%201") {{ return 401 "no token"; }}
            return 200 "welcome";
        }}
    }}
    server {{
        listen 127.0.0.1:{expired} ssl http2;
        ssl_certificate {expired_certificate}; ssl_certificate_key {expired_certificate};
        location / {{ return 200 "late"; }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Ports:
    plain: int
    tls: int
    h2c: int
    h2: int
    expired: int


def nginx(folder: Path, certificate: Path, expired_certificate: Path) -> tuple[Program, Ports]:
    """Not started yet. The certificates hold their keys."""
    ports = Ports(*free_ports(5))
    configuration = folder / "nginx.conf"
    named = {name: getattr(ports, name) for name in Ports.__slots__}
    text = _CONFIGURATION.format(
        folder=folder, certificate=certificate, expired_certificate=expired_certificate, **named
    )
    configuration.write_text(text)
    (folder / "big.txt").write_text("x" * 500_000 + " the end\n")
    command: list[str | Path] = ["nginx", "-p", folder, "-e", folder / "error.log", "-c", configuration]
    return Program(command, folder, port=ports.expired), ports
