"""Every file and folder in bad/ says itself what healthd has to say of it.

A file does so in its first lines, a folder in its expect.txt: `# expect: MESSAGE` for an error, `# warning: MESSAGE`
where the configuration is usable.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from healthd.config import ConfigError, load

BAD = Path(__file__).parent / "bad"


def expected(case: Path) -> list[str]:
    lines = (case / "expect.txt" if case.is_dir() else case).read_text().splitlines()
    return [line.removeprefix("# ") for line in lines if line.startswith(("# expect: ", "# warning: "))]


@pytest.mark.parametrize("name", sorted(path.name for path in BAD.iterdir()))
def test_a_bad_configuration_gets_exactly_its_messages(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is wrong is said in one go, word for word, in the order of files and lines, and nothing else."""
    monkeypatch.chdir(BAD)
    wanted = expected(Path(name))
    assert wanted, "a case that expects nothing tests nothing"
    try:
        said = [f"warning: {message}" for message in load(Path(name)).warnings]
    except ConfigError as error:
        said = [f"expect: {message}" for message in error.messages]
    assert said == wanted
