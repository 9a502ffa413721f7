"""What is told of a server program that does not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.programs import Program
from tests.support.ports import free_port


class Impatient(Program):
    patience = 0


def complaint(program: Program) -> str:
    with pytest.raises(AssertionError) as error:
        program.start()
    return str(error.value)


def test_its_end_is_told(tmp_path: Path) -> None:
    """By its status or by its signal, with the port that it was given and what it has said, which may be nothing."""
    port = free_port()
    said = complaint(Program(["sh", "-c", "echo no such module; exit 3"], tmp_path, port=port))
    assert said == f"sh -c 'echo no such module; exit 3' ended with status 3, awaited at port {port}:\nno such module"
    (tmp_path / "output.log").unlink()
    said = complaint(Program(["sh", "-c", "kill -9 $$"], tmp_path, port=port))
    assert said == f"sh -c 'kill -9 $$' ended by signal 9, awaited at port {port}:\n(it wrote nothing)"


def test_that_it_was_not_up_in_time_is_told(tmp_path: Path) -> None:
    """It has not ended: what was waited for, and for how long, is all there is to say."""
    port, ready = free_port(), tmp_path / "ready"
    said = complaint(Impatient(["sleep", "60"], tmp_path, port=port, ready=ready))
    assert said == f"sleep 60 was not up within 0 s, awaited at {ready}, with port {port}:\n(it wrote nothing)"
