from __future__ import annotations

import time

import pytest

from healthd.model import Endpoint
from healthd.operators.selecting import no_match, selected

A, B = Endpoint("10.0.0.1", 80), Endpoint("10.0.0.2", 8080)
SIX = Endpoint("2001:db8::1", 80)
SERVERS = {"web": [A, B], "web-2": [A, SIX], "mail": [Endpoint("10.0.0.1", 25)]}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("web/10.0.0.1:80", [("web", A)]),
        ("web/10.0.0.1", [("web", A)]),
        ("web/*", [("web", A), ("web", B)]),
        ("web*/10.0.0.1:80", [("web", A), ("web-2", A)]),
        ("10.0.0.1:80", [("web", A), ("web-2", A)]),
        ("10.0.0.1", [("web", A), ("web-2", A), ("mail", Endpoint("10.0.0.1", 25))]),
        ("10.0.0.?:80", [("web", A), ("web-2", A)]),
        ("*:8080", [("web", B)]),
        ("[2001:db8::1]:80", [("web-2", SIX)]),
        ("[2001:DB8:0::1]:80", [("web-2", SIX)]),
        ("2001:db8::1", [("web-2", SIX)]),
        ("[2001:db8::1]", [("web-2", SIX)]),
        ("[2001:db8::*]:80", [("web-2", SIX)]),
        ("web-?/2001:db8::*", [("web-2", SIX)]),
        ("web/10.0.0.10:80", []),
        ("web/10.0.0.[12]:80", []),
        ("we/10.0.0.1:80", []),
        ("web/", []),
        ("/10.0.0.1:80", []),
    ],
)
def test_what_a_selector_means(selector: str, expected: list[tuple[str, Endpoint]]) -> None:
    """A service with a server, or a server in every service; brackets are those of an IPv6 address."""
    assert selected(selector, SERVERS) == expected


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ("wbe/10.0.0.1:80", 'no service matches "wbe"; did you mean web?'),
        ("web/10.0.0.3:80", 'no server matches "10.0.0.3:80" in service "web"; did you mean 10.0.0.1:80'),
        ("web", 'no server matches "web", which is a service; its servers are "web/*"'),
        ("zzz", 'no server matches "zzz"'),
    ],
)
def test_names_that_are_near_are_offered(selector: str, text: str) -> None:
    """Whoever has mistyped a name reads the right one."""
    assert no_match(selector, SERVERS).startswith(text)


def test_no_pattern_takes_for_ever() -> None:
    """One with very many asterisks is answered as quickly as others."""
    began = time.process_time()
    assert selected("*a" * 100 + "/*1" * 1, {"a" * 99: [A]}) == []
    assert time.process_time() - began < 1
