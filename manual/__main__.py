from __future__ import annotations

import sys
from pathlib import Path

from manual.configuration import checkers, configuration
from manual.program import program


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for page in (program(), configuration(), checkers()):
        (folder / f"{page.name}.{page.section}").write_text(page.text, encoding="utf-8")


main(Path(sys.argv[1]))
