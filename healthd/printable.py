"""Text that is safe to print, whoever wrote it. It imports nothing, so that a small command can be quick."""

from __future__ import annotations


def one_line(text: str, limit: int | None = None) -> str:
    """`text` with everything unprintable escaped, cut to `limit`: no peer can forge a line, a header or an escape."""
    plain = text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return plain if limit is None or len(plain) <= limit else plain[: limit - 3] + "..."
