from pathlib import Path

import pytest

from tests.healthd.cli.processes import called
from tests.healthd.config.test_corpus import BAD, expected


@pytest.mark.parametrize("name", sorted(path.name for path in BAD.iterdir()))
def test_config_check_prints_the_messages(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`healthd config check` on each bad configuration: its errors on standard error and status 78, or its warnings."""
    monkeypatch.chdir(BAD)
    wanted = expected(Path(name))
    errors = [line.removeprefix("expect: ") for line in wanted if line.startswith("expect: ")]
    ended = called("config", "check", "-c", name)
    if errors:
        assert (ended.stderr.splitlines(), ended.stdout, ended.returncode) == (errors, "", 78)
    else:
        assert ended.returncode == 0
        assert all(line.removeprefix("warning: ") in ended.stdout + ended.stderr for line in wanted)
