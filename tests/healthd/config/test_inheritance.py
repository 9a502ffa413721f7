"""The nearest wins: the check's table, then the service, then [defaults], then what is built in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from checkers.http import Http
from checkers.tcp import Tcp
from healthd.config import Config
from healthd.config.values import CheckConfig, OnFailure
from healthd.model import Endpoint, Threshold

Loads = Callable[[str], Config]
Refuses = Callable[[str], list[str]]


def checks(config: Config, service: str = "web") -> tuple[CheckConfig, ...]:
    return next(found.checks for found in config.services if found.name == service)


SERVICE = '[service.web]\nvirtual = "10.0.0.1:80"\n[[service.web.server]]\naddress = "10.0.0.11"\n[service.web.check]\n'


def test_times_and_thresholds_have_defaults(loads: Loads) -> None:
    """5 s, 1 s after a first failure, a deadline of 3 s, three failures, two passes."""
    (check,) = checks(loads(SERVICE + 'type = "tcp"'))
    expected = CheckConfig(
        name="tcp",
        kind="tcp",
        checker=Tcp(),
        interval=5.0,
        fast_interval=1.0,
        timeout=3.0,
        fall=Threshold(3, 3),
        rise=Threshold(2, 2),
    )
    assert check == expected


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("interval", ('"10s"', '"20s"', '"30s"'), (10.0, 20.0, 30.0)),
        ("fast_interval", ('"100ms"', '"200ms"', '"300ms"'), (0.1, 0.2, 0.3)),
        ("timeout", ('"1s"', '"1.5s"', '"2s"'), (1.0, 1.5, 2.0)),
        ("fall", ("4", '"3/5"', '"2/9"'), (Threshold(4, 4), Threshold(3, 5), Threshold(2, 9))),
        ("rise", ("1", '"5/5"', "100"), (Threshold(1, 1), Threshold(5, 5), Threshold(100, 100))),
    ],
)
def test_the_nearest_wins(loads: Loads, key: str, written: tuple[str, ...], value: tuple[object, ...]) -> None:
    """For every key that a check, a service and the defaults can all have."""
    text = """
        [defaults]
        {key} = {0}
        [check.own]
        type = "tcp"
        {key} = {2}
        [check.plain]
        type = "tcp"
        [service.a]
        virtual = "10.0.0.1:80"
        check = "plain"
        [service.b]
        virtual = "10.0.0.2:80"
        {key} = {1}
        check = ["plain", "own"]
    """
    config = loads(text.format(*written, key=key))
    assert [getattr(check, key) for check in checks(config, "a")] == [value[0]]
    assert [getattr(check, key) for check in checks(config, "b")] == [value[1], value[2]]


def test_services_inherit_and_override(loads: Loads) -> None:
    """Any key of a service may stand in [defaults], and "off" takes back what cannot be said otherwise."""
    config = loads("""
        [defaults]
        check = { type = "http" }
        scheduler = "sh"
        scheduler_flags = ["sh-port"]
        persistent = "300s"
        persistent_netmask = "255.255.255.0"
        fallback = "10.0.0.99:80"
        on_failure = "remove"

        [service.heir]
        virtual = "10.0.0.1:80"

        [service.own]
        virtual = "10.0.0.2:80"
        scheduler = "wlc"
        scheduler_flags = []
        persistent = "off"
        fallback = "off"
        on_failure = "quiesce"
        check = { type = "tcp" }
    """)
    heir, own = config.services
    assert heir.options.arguments(heir.key.family) == "-s sh -p 300 -M 255.255.255.0 -b sh-port"
    assert heir.fallback is not None
    assert heir.fallback.endpoint == Endpoint("10.0.0.99", 80)
    assert heir.on_failure is OnFailure.REMOVE
    assert [check.checker for check in heir.checks] == [Http()]
    assert own.options.arguments(own.key.family) == "-s wlc"
    assert own.fallback is None
    assert own.on_failure is OnFailure.QUIESCE
    assert [check.checker for check in own.checks] == [Tcp()]


@pytest.mark.parametrize(
    ("times", "expected", "warned"),
    [
        ('interval = "500ms"', (0.5, 0.5, 0.5), ""),
        ('interval = "2s"\ntimeout = "10s"', (2.0, 1.0, 10.0), "a timeout of 10s is longer than the interval of 2s"),
        ('interval = "2s"\ntimeout = "2s"', (2.0, 1.0, 2.0), ""),
        ('interval = "2s"\nfast_interval = "3s"', (2.0, 2.0, 2.0), "a fast_interval of 3s is longer than"),
        ('timeout = "6s"', (5.0, 1.0, 6.0), "a timeout of 6s is longer than the interval of 5s"),
    ],
)
def test_only_times_that_were_written_can_be_too_long(
    loads: Loads, times: str, expected: tuple[float, ...], warned: str
) -> None:
    """Built-in times give way to a short interval in silence; what is written stands, with a warning."""
    config = loads(SERVICE + f'type = "tcp"\n{times}')
    (check,) = checks(config)
    assert (check.interval, check.fast_interval, check.timeout) == expected
    assert len(config.warnings) == (1 if warned else 0)
    assert warned in "".join(config.warnings)


def test_a_shorter_interval_does_not_make_inherited_fast_checks_a_mistake(loads: Loads) -> None:
    """fast_interval in [defaults] is meant for slower services; one that is faster already just stays as it is."""
    config = loads('[defaults]\nfast_interval = "2s"\n' + SERVICE + 'type = "tcp"\ninterval = "1s"\ntimeout = "1s"')
    assert config.warnings == ()
    assert checks(config)[0].fast_interval == 1.0


def test_checks_in_place_get_names_of_their_own(loads: Loads) -> None:
    """A name is made of the kind and is not that of another check of the service."""
    config = loads("""
        [check.tcp-2]
        type = "tcp"
        [service.web]
        virtual = "10.0.0.1:80"
        check = [{ type = "tcp" }, { type = "tcp", port = 81 }, "tcp-2", { type = "http" }]
    """)
    assert [check.name for check in checks(config)] == ["tcp", "tcp-3", "tcp-2", "http"]


def test_checks_can_be_written_as_tables_of_their_own(loads: Loads) -> None:
    """[[service.X.check]] is the same as an array in one line."""
    config = loads(SERVICE.replace("[service.web.check]", "") + '[[service.web.check]]\ntype = "tcp"\n' * 2)
    assert [check.name for check in checks(config)] == ["tcp", "tcp-2"]


def test_a_mistake_in_the_defaults_is_said_once(refuses: Refuses) -> None:
    """What is wrong in [defaults] is not said again for each service that inherits it."""
    text = "[defaults]\nfall = 0\n" + SERVICE + 'type = "tcp"\n' + SERVICE.replace("web", "shop") + 'type = "http"'
    text = text.replace("10.0.0.1:", "10.0.0.2:", 1)
    assert refuses(text) == ["2: defaults.fall: must be from 1 to 100, not 0"]
