"""What can be said of the container file without building it, which needs a registry."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "packaging/Containerfile").read_text()
INSTRUCTIONS = [
    line.split(maxsplit=1) for line in re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", TEXT)).splitlines() if line
]
KNOWN = {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "FROM", "HEALTHCHECK", "RUN", "USER", "VOLUME", "WORKDIR"}


def given(name: str) -> list[str]:
    return [arguments for instruction, arguments in INSTRUCTIONS if instruction == name]


def test_every_instruction_is_one() -> None:
    """No line has lost its continuation, and every image has a version."""
    assert {instruction for instruction, _ in INSTRUCTIONS} <= KNOWN
    assert all(re.fullmatch(r"[a-z./]+:3\.11-slim-bookworm( AS [a-z]+)?", image) for image in given("FROM"))


def test_what_is_copied_is_there() -> None:
    """Everything that an installation needs, and nothing that has moved."""
    copied = [name for arguments in given("COPY") if "--from" not in arguments for name in arguments.split()[:-1]]
    assert all((ROOT / name).exists() for name in copied)
    assert {"pyproject.toml", "checkers", "healthd"} <= set(copied)


def test_it_does_not_run_as_root() -> None:
    """The last word on the user is healthd's."""
    assert [instruction for instruction, _ in INSTRUCTIONS][-5:] == [
        "USER",
        "VOLUME",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    ]
    assert given("USER") == ["healthd"]


def test_the_command_that_builds_it_keeps_the_health_check() -> None:
    """podman's own form of image has none, and leaves it out with a warning."""
    assert len(given("HEALTHCHECK")) == 1
    assert "podman build --format docker " in TEXT.splitlines()[0]
