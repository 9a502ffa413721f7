import copy
from contextlib import suppress
from typing import Any

import pytest

from healthd.cli import answers
from healthd.cli.exits import Exit, Problem
from tests.support import control_answers as made

WHOLE = made.status(made.service(made.server(override=made.override()), made.server("10.0.0.2", "down")))


def test_a_whole_answer() -> None:
    """Becomes values; what this version does not know is passed over."""
    status = answers.status(WHOLE | {"new in a later version": 1})
    assert [server.name for server in status.servers] == ["10.0.0.1:80", "10.0.0.2:80"]
    assert status.services[0].servers[1].deciding == status.services[0].servers[1].checks[0]


def paths(value: Any, *path: Any) -> list[tuple[Any, ...]]:
    """Of every key that is read, down to the first service, server and check."""
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in ((*path, key), *paths(inner, *path, key))]
    return paths(value[0], *path, 0) if isinstance(value, list) and value else []


def changed(path: tuple[Any, ...], new: Any) -> Any:
    content = copy.deepcopy(WHOLE)
    inner: Any = content
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = new
    return content


@pytest.mark.parametrize("path", paths(WHOLE))
@pytest.mark.parametrize("new", [{}, [], "x", 7, None, 2.5], ids=repr)
def test_an_answer_of_another_kind(path: tuple[Any, ...], new: Any) -> None:
    """Is understood, or refused in one sentence: a later version may have changed anything."""
    with suppress(Problem):
        answers.status(changed(path, new))


@pytest.mark.parametrize("content", [None, [], 3, "x", {}])
def test_no_answer_at_all(content: Any) -> None:
    """Likewise."""
    with pytest.raises(Problem, match="cannot be read") as caught:
        answers.status(content)
    assert caught.value.status == Exit.DAEMON_FAILED
    assert "of another version" in caught.value.messages[1]


def test_what_is_left_on_a_server() -> None:
    """Connections and the promises of persistence; not known where nobody counts."""
    assert answers.server(made.server(active=1, inactive=2, persistent=3)).connections == 6
    assert answers.server(made.server(active=None, inactive=None, persistent=None)).connections is None
