"""A server of a line protocol that keeps to a script."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

TLS = b"<TLS>"
"""Within an answer: from here on TLS is spoken."""


@dataclass
class Script:
    """Greets, and answers each line that comes by what it begins with; `heard` are the lines.

    A line that is not in the script is not answered. `context` is for answers with `TLS` in them.
    """

    greeting: bytes
    answers: Mapping[bytes, bytes] = field(default_factory=dict)
    context: ssl.SSLContext | None = None
    heard: list[bytes] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.greeting)
        while line := await reader.readline():
            self.heard.append(line.removesuffix(b"\r\n"))
            answer = next((text for start, text in self.answers.items() if line.startswith(start)), b"")
            plain, secured, encrypted = answer.partition(TLS)
            writer.write(plain)
            if secured:
                assert self.context is not None
                await writer.drain()
                await writer.start_tls(self.context)
                writer.write(encrypted)
