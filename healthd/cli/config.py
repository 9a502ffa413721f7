"""`healthd config check` and `healthd config schema`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from checkers.push import Push
from healthd.cli import options, output
from healthd.cli.exits import Exit, Problem
from healthd.cli.opening import load_config
from healthd.cli.report import counted
from healthd.config import Config, schema
from healthd.config.values import CheckConfig, ServiceConfig
from healthd.config.words import seconds_as_text


@click.group()
def config() -> None:
    """Check a configuration, or print its JSON Schema."""


@config.command("schema")
def print_schema() -> int:
    """Print its JSON Schema, for an editor's TOML plug-in."""
    output.say_json(schema())
    return Exit.OK


@config.command()
@options.output_format
@options.configuration
def check(*, output_format: str, path: Path) -> int:
    """Say everything that is wrong with it.

    It is read as `healthd run` would read it; nothing is started.

    DOWN WITHIN is the longest time from a fault to the verdict: a server that hangs just after it passed a check,
    and keeps every check waiting up to its timeout.

    Exit status: 0 good, perhaps with warnings; 64 usage; 78 bad, with one line for each error on standard error.
    """
    as_json = output_format == "json"
    try:
        loaded = load_config(path)
    except Problem as problem:
        if as_json:
            output.say_json({"errors": list(problem.messages), "warnings": [], "exit": int(problem.status)})
        raise
    if as_json:
        output.say_json(_as_json(loaded))
    else:
        _say(path, loaded)
    return Exit.OK


def _as_json(loaded: Config) -> dict[str, object]:
    services = [
        {
            "name": service.name,
            "virtual": service.key.label,
            "servers": len(service.servers),
            "checks": [
                {"name": one.name, "type": one.kind, "down_within": round(down_within(one), 3)}
                for one in service.checks
            ],
        }
        for service in loaded.services
    ]
    return {"services": services, "errors": [], "warnings": list(loaded.warnings), "exit": 0}


def _say(path: Path, loaded: Config) -> None:
    services = loaded.services
    if services:
        headers = ("SERVICE", "VIRTUAL", "SERVERS", "CHECK", "TYPE", "FALL", "RISE", "DOWN WITHIN")
        output.say_table(headers, (row for service in services for row in _rows(service)))
        output.say()
    for warning in loaded.warnings:
        output.say(f"warning: {warning}", "yellow")
    servers = sum(len(service.servers) for service in services)
    checks = sum(len(service.servers) * len(service.checks) for service in services)
    counts = (counted(len(services), "service"), counted(servers, "server"), counted(checks, "check"))
    warned = f", {counted(len(loaded.warnings), 'warning')}" if loaded.warnings else ""
    output.say(f"{path}: good: {', '.join(counts)}{warned}", "green")


def _rows(service: ServiceConfig) -> Iterator[tuple[str, ...]]:
    head = (service.name, service.key.label, str(len(service.servers)))
    for one in service.checks:
        within = seconds_as_text(round(down_within(one), 3))
        yield (*head, one.name, one.kind, str(one.fall), str(one.rise), within)
        head = ("", "", "")
    if not service.checks:
        yield (*head, "none", "-", "-", "-", "never")


def down_within(one: CheckConfig) -> float:
    """Seconds, at most, until a server that has hung since its last check began is down.

    The first failing check starts one interval after the last good one, the following `fast_interval` after the one
    before, or when that has reached its timeout. Of one that reports by itself the first comes at its deadline.
    """
    if isinstance(one.checker, Push):
        return one.checker.seconds + (one.fall.count - 1) * one.fast_interval
    pace = max(one.fast_interval, one.timeout)
    return one.interval + (one.fall.count - 1) * pace + one.timeout
