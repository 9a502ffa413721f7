from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from healthd.control import asked
from healthd.control.asked import Param
from healthd.control.failures import HTTP, SENSELESS, Failed
from healthd.control.openapi import description
from healthd.control.routes import ROUTES
from tests.healthd.cli.processes import Running
from tests.healthd.control.conftest import OPERATOR, ControlledSite
from tests.support.asking import Client

DESCRIPTION = description(ROUTES)


def test_every_route_is_described_and_nothing_else() -> None:
    """One table makes both, so a path, a method or a parameter cannot be in one and not in the other."""
    described = {(path, method.upper()) for path, operations in DESCRIPTION["paths"].items() for method in operations}
    assert described == {(route.path.replace(":.+}", "}"), route.method) for route in ROUTES}
    names = [operation["operationId"] for path in DESCRIPTION["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)
    for route in ROUTES:
        operation = DESCRIPTION["paths"][route.path.replace(":.+}", "}")][route.method.lower()]
        in_query = {param["name"] for param in operation["parameters"] if param["in"] == "query"}
        assert in_query == {param.name for param in route.query}
        assert route.doc.endswith(".")
        assert all(failure in HTTP or failure in {"unwell", SENSELESS} for failure in route.failures)


async def test_it_is_served(client: Client) -> None:
    """As JSON, to everyone."""
    answer = await client.get("/openapi.json")
    assert answer.json == json.loads(json.dumps(DESCRIPTION))
    assert answer.json["openapi"] == "3.1.0"


BODY_PARAMS = [(route.path, param) for route in ROUTES for param in route.body]
VALUES: list[Any] = [
    *(None, True, False, 0, 1, 0.5, -1, 65535, 65536, 1e9, "", "a", "50%", "5", "65535%", "x" * 201, "x" * 501),
    *([], ["a"], [""], [","], ["x" * 201], [1], ["a"] * 200, ["a"] * 201, {}, {"a": 1}),
]


@pytest.mark.parametrize(("path", "param"), BODY_PARAMS, ids=lambda part: getattr(part, "name", str(part)))
def test_a_parameter_is_read_as_it_is_described(path: str, param: Param) -> None:
    """What the schema allows is taken, and what it does not is refused, value by value."""
    for value in VALUES:
        allowed = jsonschema.Draft202012Validator(param.kind.schema).is_valid(value)
        try:
            asked.from_body([Param("it", param.kind, "")], json.dumps({"it": value}).encode())
            taken = True
        except Failed:
            taken = False
        assert taken == allowed, (path, param.name, value)


SCHEMATHESIS = """
[parameters]
"path.service" = "web"
"path.server" = "10.0.0.1:80"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429"]
"""
"""Servers that exist, so that more than 404 is seen; and 422 is what no schema can tell, such as too many patterns.

What is dear is soon asked for too often, which is told only of what is as described.
"""


@pytest.mark.timeout(800)
def test_schemathesis(tmp_path: Path) -> None:
    """A real daemon does what its description says of every path, method, parameter and answer, whatever is sent.

    Streams have no end that schemathesis could wait for; test_following has those.
    """
    site = ControlledSite(tmp_path)
    site.control(f'listen = ["127.0.0.1:0"]\ntokens_file = "{site.tokens()}"')
    (tmp_path / "schemathesis.toml").write_text(SCHEMATHESIS)
    with Running("run", "-c", site.folder) as process:
        where = process.said("listening on 127.0.0.1:").split(" listening on ")[1].strip()
        done = subprocess.run(
            [
                *(Path(sys.executable).with_name("schemathesis"), "run", f"http://{where}/openapi.json"),
                *("--header", f"Authorization: Bearer {OPERATOR}", "--exclude-path", "/api/v1/events"),
                *("--phases", "examples,coverage,fuzzing", "--max-examples", "4"),
                *("--generation-deterministic", "--workers", "1", "--request-timeout", "30", "--no-color"),
                *("--output-truncate", "true", "--warnings", "off"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=700,
            check=False,
        )
        assert done.returncode == 0, "\n".join(line[:300] for line in done.stdout.splitlines())[-5000:]
        assert " Tested: " in done.stdout
        assert "Traceback" not in process.log
        assert " ERROR " not in process.log
