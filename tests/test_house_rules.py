"""What may stand where in the code, and how long it may be."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from tests.support.sources import FILES, TREES, every_module

LONGEST_FILE = 250
LONGEST_FUNCTION = 60


def calls(module: str) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


REAL_TIME = {
    "time.time",
    "time.monotonic",
    "time.perf_counter",
    "time.sleep",
    "asyncio.sleep",
    "asyncio.timeout",
    "asyncio.wait_for",
    "datetime.now",
    "datetime.datetime.now",
}


def is_a_yield(call: ast.Call) -> bool:
    """`asyncio.sleep(0)` lets others have their turn and takes no time."""
    return ast.unparse(call) == "asyncio.sleep(0)"


@every_module
def test_rule_11_of_the_design_only_the_clock_knows_real_time(module: str) -> None:
    """Everything else is handed a clock, so that a test can step it; checks may ask for the date."""
    if module not in {"healthd.clock", "checkers.today"}:
        assert [name for name, call in calls(module) if name in REAL_TIME and not is_a_yield(call)] == []


@every_module
def test_only_the_command_line_ends_the_process(module: str) -> None:
    """Everything else raises, and leaves it to its caller what follows."""
    ends = {"sys.exit", "os._exit", "os.abort", "exit", "quit", "SystemExit"}
    if not module.startswith("healthd.cli"):
        assert [name for name, _ in calls(module) if name in ends] == []


FOREIGN_CODE = {
    "checkers.part",
    "checkers.registry",
    "checkers.relay",
    "healthd.engine.boundary",
    "healthd.config.checks",
    "healthd.engine.lean",
    "healthd.workers.jobs",
}
"""Where a plugin's code is run, or a library's on a hostile server's bytes: anything can come out of it, and none of it
may end healthd."""


def handlers(module: str) -> Iterator[tuple[str, ast.ExceptHandler]]:
    """The names of the exceptions, with what is done about them."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            for kind in caught:
                yield ("" if kind is None else ast.unparse(kind)), node


@every_module
def test_nobody_catches_what_he_does_not_understand(module: str) -> None:
    """`except Exception` stands only where foreign code is run; one that cleans up raises again."""
    for kind, handler in handlers(module):
        raises_again = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
        if kind in {"", "Exception", "BaseException", "ESCAPES"} and not raises_again:
            assert module in FOREIGN_CODE, f"line {handler.lineno}: {ast.unparse(handler)}"
    suppressed = [ast.unparse(kind) for name, call in calls(module) if name.endswith("suppress") for kind in call.args]
    assert not {"Exception", "BaseException"} & set(suppressed)


@every_module
def test_a_file_can_be_read_at_one_sitting(module: str) -> None:
    """No file is longer than 250 lines, and no function than 60."""
    assert len(FILES[module].read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    functions = (node for node in ast.walk(TREES[module]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    length: Callable[[ast.stmt], int] = lambda node: (node.end_lineno or 0) - node.lineno + 1  # noqa: E731 - one line
    assert {f.name: length(f) for f in functions if length(f) > LONGEST_FUNCTION} == {}


FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "manager"}


@every_module
def test_a_module_is_named_for_what_is_in_it(module: str) -> None:
    """A name that could hold anything will."""
    assert not FORBIDDEN_NAMES & set(module.split("."))
