"""The configuration, read in a process of its own, is the same as the one that is read here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from healthd.config import ConfigError, apart, load
from healthd.config.apart import load_apart

CONFIGURATION = """
[healthd]
plugin_dir = "{plugins}"
[check.shared]
type = "mine:Mine"
word = "alive"
[service.web]
virtual = "192.0.2.10:80"
check = "shared"
[[service.web.server]]
address = "10.0.0.1"
[[service.web.server]]
address = "10.0.0.2"
[service.names]
virtual = "192.0.2.10:53"
protocol = "udp"
[service.names.check]
type = "dns"
name = "example.com"
[[service.names.server]]
address = "10.0.0.3"
"""
PLUGIN = """
from dataclasses import dataclass
from checkers.base import Checker, passed
print("plugins may print")
@dataclass(frozen=True, kw_only=True)
class Mine(Checker):
    word: str = ""
    async def check(self, target):
        return passed("L7OK", self.word)
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """With a plugin beside it, in `plugins/mine.py`."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "mine.py").write_text(PLUGIN)
    path = tmp_path / "healthd.toml"
    path.write_text(CONFIGURATION.format(plugins=tmp_path / "plugins"))
    return path


def refusal(path: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as error:
        load_apart(path)
    return error.value.messages


def test_it_is_the_same(configuration: Path) -> None:
    """Plugins included, whatever they print; and what was shared is shared."""
    found = load_apart(configuration)
    assert found == load(configuration)
    assert type(found.services[0].checks[0].checker) is type(load(configuration).services[0].checks[0].checker)


def test_what_is_wrong_is_said_in_the_same_words(configuration: Path) -> None:
    """All of it, with file, line and key."""
    configuration.write_text(configuration.read_text().replace("protocol", "protokoll") + "\nport = 0\n")
    with pytest.raises(ConfigError) as error:
        load(configuration)
    assert refusal(configuration) == error.value.messages
    assert len(error.value.messages) == 2


def test_the_validator_stays_outside(configuration: Path) -> None:
    """Its memory would be that of thousands of servers."""
    code = (
        "import pathlib, sys; from healthd.config.apart import load_apart; "
        f"load_apart(pathlib.Path({str(configuration)!r})); sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_plugin_that_ends_the_process(configuration: Path, tmp_path: Path) -> None:
    """Ends the other one, and the configuration is refused."""
    (tmp_path / "plugins" / "mine.py").write_text("import os\nos._exit(3)\n")
    assert refusal(configuration) == (f"{configuration}: the process that reads it ended with status 3",)


def test_a_plugin_that_hangs(configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not waited for without end."""
    (tmp_path / "plugins" / "mine.py").write_text("import time\nwhile True:\n    time.sleep(60)\n")
    monkeypatch.setattr(apart, "PATIENCE", 1.0)
    (message,) = refusal(configuration)
    assert message == f"{configuration}: was not read within 1 s; a plugin may hang while it is loaded"


def test_a_plugin_that_differs_the_second_time(configuration: Path, tmp_path: Path) -> None:
    """What was read cannot be made here: that is said, and nothing is taken over."""
    once = "import pathlib\npathlib.Path(__file__).write_text('raise OSError(2)')\n"
    (tmp_path / "plugins" / "mine.py").write_text(PLUGIN + once)
    (message,) = refusal(configuration)
    assert message.startswith(f'{configuration}: changed while it was read: check kind "mine:Mine": ')
    assert "OSError: 2" in message
