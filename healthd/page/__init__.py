"""The page that the daemon serves: static files, which the control interface hands out as they are.

They speak the control interface's own JSON and need nothing from elsewhere; nothing is built.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

STATIC = Path(__file__).parent / "static"
INDEX = "index.html"

MEDIA_TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""By the ending of the name: what else lies beside these files, such as a licence, is not served."""


@dataclass(frozen=True, slots=True)
class File:
    """`etag` changes with the body and is quoted, as HTTP has it; without one a browser fetches the file each time."""

    body: bytes = field(repr=False)
    media_type: str
    etag: str = ""


class Page:
    """The files by their paths below /static/. Nothing is read before somebody asks, and then once."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}

    def file(self, path: str) -> File | None:
        """The page itself is `INDEX`. No path leads out of the folder: those that exist are the only ones there are."""
        if path not in self._files and path in self._places:
            self._files[path] = _read(self._places[path])
        return self._files.get(path)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self._places))

    @cached_property
    def _places(self) -> Mapping[str, Path]:
        return {
            place.relative_to(STATIC).as_posix(): place for place in STATIC.rglob("*") if place.suffix in MEDIA_TYPES
        }


def _read(place: Path) -> File:
    body = place.read_bytes()
    return File(body, MEDIA_TYPES[place.suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"')
