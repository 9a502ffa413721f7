"""A real server in one process: HTTP on a TCP port, DNS on a UDP port, in both address families.

    real_server.py NAME HTTP_PORT DNS_PORT

Few system calls per request, as they are slow in a User-Mode Linux. Each line of JSON on standard input is an order,
answered by a line on standard output once it is in force: `{"path": "/", "answers": [[200, "OK"], ...]}` has requests
for the path answered in turn (a path without answers of its own gets those of "/"); `{"count": "/"}` asks how many
requests there were for the path; `{"dns": 2}` sets the DNS response code.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
from collections import Counter

HEAD = "HTTP/1.1 {status} Answer\r\nContent-Length: {length}\r\nX-Server: {name}\r\nConnection: close\r\n\r\n"
RECORDS = {1: bytes([10, 2, 0, 99]), 6: b"\0\0" + struct.pack("!5I", 2024010100, 3600, 600, 86400, 60)}
"""An address and a start of authority; of other types there are none."""


class RealServer:
    def __init__(self, name: str, http_port: int, dns_port: int) -> None:
        self.name = name
        self.http = socket.create_server(("::", http_port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)
        self.dns = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.dns.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.dns.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        self.dns.bind(("::", dns_port))
        self.dns_code = 0
        self.answers = {"/": [(200, "OK " + name)]}
        self.asked: Counter[str] = Counter()

    def serve(self) -> None:
        poll = select.poll()
        for source in (sys.stdin, self.http, self.dns):
            poll.register(source, select.POLLIN)
        say("ready")
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == self.http.fileno():
                    self.answer_http()
                elif descriptor == self.dns.fileno():
                    self.answer_dns()
                elif not self.obey(sys.stdin.readline()):
                    return

    def answer_http(self) -> None:
        connection, _ = self.http.accept()
        connection.settimeout(2)
        with connection:
            try:
                words = connection.recv(65536).split(maxsplit=2)
                if len(words) == 3:
                    connection.sendall(self.response(words[1].decode()))
            except OSError:
                pass  # a client that went away, or a check that only connects

    def response(self, path: str) -> bytes:
        answers = self.answers.get(path, self.answers["/"])
        status, body = answers[self.asked[path] % len(answers)]
        self.asked[path] += 1
        return (HEAD.format(status=status, length=len(body.encode()), name=self.name) + body).encode()

    def answer_dns(self) -> None:
        """From the address that was asked, which may be one of several; recvmsg's packet information says it."""
        question, ancillary, _, peer = self.dns.recvmsg(512, 256)
        if len(question) < 17:
            return
        end = question.index(b"\0", 12) + 5
        data = RECORDS.get(struct.unpack_from("!H", question, end - 4)[0])
        count = int(data is not None and not self.dns_code)
        reply = question[:2] + struct.pack("!5H", 0x8580 | self.dns_code, 1, count, 0, 0) + question[12:end]
        if count and data is not None:
            reply += b"\xc0\x0c" + question[end - 4 : end] + struct.pack("!IH", 60, len(data)) + data
        self.dns.sendmsg([reply], ancillary, 0, peer)

    def obey(self, line: str) -> bool:
        """False at the end of standard input, when whoever started this is gone."""
        if not line:
            return False
        order = json.loads(line)
        said: object = "done"
        if "count" in order:
            said = self.asked[order["count"]]
        elif "dns" in order:
            self.dns_code = order["dns"]
        else:
            self.answers[order["path"]] = order["answers"]
        say(said)
        return True


def say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    RealServer(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).serve()
