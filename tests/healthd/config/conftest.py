from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from healthd.config import Config, ConfigError, load

Loads = Callable[[str], Config]
Refuses = Callable[[str], list[str]]


@pytest.fixture
def loads(tmp_path: Path) -> Loads:
    """The configuration of a text."""

    def of(text: str) -> Config:
        file = tmp_path / "c.toml"
        file.write_text(text)
        return load(file)

    return of


@pytest.fixture
def refuses(loads: Loads, tmp_path: Path) -> Refuses:
    """The messages for a text, without the name of the file."""

    def of(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            loads(text)
        return [message.removeprefix(f"{tmp_path}/c.toml:") for message in caught.value.messages]

    return of
