"""A real nginx on loopback ports, with a configuration of the tests' own."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.checkers.certificates import Pki
from tests.support.ports import free_ports

_CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; default_type text/plain; keepalive_timeout 60s; absolute_redirect off;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    ssl_certificate {certificate}; ssl_certificate_key {certificate};
    server {{
        listen 127.0.0.1:{plain} default_server; listen [::1]:{plain} default_server;
        listen 127.0.0.1:{tls} ssl default_server;
        root {folder};
        location = /status/404 {{ return 404; }}
        location = /status/503 {{ return 503 "out of order"; }}
        location = /status/204 {{ return 204; }}
        location = /echo {{
            add_header X-Health "state=$arg_state" always;
            return 200 "$request_method $http_host $http_user_agent $http_x_asked end";
        }}
        location = /private {{
            auth_basic "members"; auth_basic_user_file {folder}/users;
            try_files /page.html =500;
        }}
        location = /relative {{ return 302 /page.html; }}
        location = /absolute {{ return 302 http://virtual.test/page.html; }}
        location = /secured {{ return 301 https://localhost:{tls}/page.html; }}
        location = /insecure {{ return 302 http://localhost:{plain}/page.html; }}
        location = /loop {{ return 301 /loop; }}
    }}
    server {{
        listen 127.0.0.1:{plain}; server_name virtual.test;
        location / {{ return 200 "virtual host, $http_authorization"; }}
    }}
    server {{
        listen 127.0.0.1:{mutual} ssl; ssl_verify_client on; ssl_client_certificate {ca_file};
        location / {{ return 200 "$ssl_client_s_dn"; }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    plain: int
    tls: int
    mutual: int


@contextlib.contextmanager
def running(folder: Path, pki: Pki) -> Iterator[Nginx]:
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        pytest.skip("nginx is not installed (Debian: nginx-light)")
    ports = Nginx(*free_ports(3))
    (folder / "page.html").write_text("<html>all is well: Grüße</html>\n" + "x" * 100_000 + "\nthe end\n")
    (folder / "users").write_text("alice:{PLAIN}open sesame\n")
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            certificate=pki.issued("localhost"),
            ca_file=pki.ca_file,
            plain=ports.plain,
            tls=ports.tls,
            mutual=ports.mutual,
        )
    )
    command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)]
    with subprocess.Popen(command) as process:
        try:
            _wait_until_open(ports.mutual, process, folder / "error.log")
            yield ports
        finally:
            process.kill()


def _wait_until_open(port: int, process: subprocess.Popen[bytes], error_log: Path) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    pytest.fail(f"nginx did not start: {error_log.read_text() if error_log.exists() else 'it wrote no error log'}")
