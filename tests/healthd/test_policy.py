from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.config.values import AllDown, OnFailure, ServiceConfig
from healthd.model import Endpoint, VirtualService
from healthd.policy import Decision, ServerState, Standing, decide
from healthd.verdict import Health
from tests.support.building import SORRY, A, B, C, server, service

UP = ServerState(Health.UP)
DOWN = ServerState(Health.DOWN)
FOUND = ServerState(Health.UNDECIDED, found=True)
NEW = ServerState(Health.UNDECIDED, found=False)


def weights(decision: Decision) -> dict[Endpoint, int]:
    return {endpoint: destination.weight for endpoint, destination in decision.virtual.destinations.items()}


def test_a_server_that_is_up_has_its_weight() -> None:
    """Rule 1: the configured weight."""
    decision = decide(service(server(A, 3), B), {A: UP, B: UP})
    assert weights(decision) == {A: 3, B: 1}
    assert (decision.standing, decision.available) == (Standing.SERVED, 2)


@pytest.mark.parametrize("wish", [0, 1, 65535])
def test_a_server_that_is_up_has_the_weight_it_asks_for(wish: int) -> None:
    """Rule 1: its own wish goes before the configuration."""
    decision = decide(service(server(A, 3)), {A: ServerState(Health.UP, wish=wish)})
    assert weights(decision) == {A: wish}
    assert decision.available == (wish > 0)


def test_a_wish_does_not_help_a_server_that_is_down() -> None:
    """Rule 2 stands before rule 1."""
    assert weights(decide(service(A), {A: ServerState(Health.DOWN, wish=5)})) == {A: 0}


@pytest.mark.parametrize(("on_failure", "left"), [(OnFailure.QUIESCE, {A: 1, B: 0}), (OnFailure.REMOVE, {A: 1})])
def test_a_server_that_is_down_is_quiesced_or_removed(on_failure: OnFailure, left: dict[Endpoint, int]) -> None:
    """Rule 2: as the service says."""
    assert weights(decide(service(A, B, on_failure=on_failure), {A: UP, B: DOWN})) == left


def test_an_undecided_server_is_left_as_it_was_found() -> None:
    """Rule 3: at weight 0 if it was in the table, out of it if it was not, with either way of failing."""
    for on_failure in OnFailure:
        decision = decide(service(A, B, C, on_failure=on_failure), {A: FOUND, B: NEW, C: UP})
        assert weights(decision) == {A: 0, C: 1}


@pytest.mark.parametrize(
    ("states", "standing", "fallback"),
    [
        ({A: UP, B: DOWN}, Standing.SERVED, False),
        ({A: DOWN, B: DOWN}, Standing.LOST, True),
        ({A: NEW, B: DOWN}, Standing.STARTING, True),
        ({A: NEW, B: UP}, Standing.SERVED, False),
        ({A: ServerState(Health.UP, wish=0), B: DOWN}, Standing.LOST, True),
    ],
)
def test_the_fallback_is_in_exactly_while_no_server_is_available(
    states: dict[Endpoint, ServerState],
    standing: Standing,
    fallback: bool,  # noqa: FBT001 - the expected value
) -> None:
    """Rule 4: available is up with a weight above 0."""
    decision = decide(service(A, B, fallback=SORRY), states)
    assert decision.standing is standing
    assert decision.fallback_active is fallback
    assert (SORRY in decision.virtual.destinations) is fallback
    assert not decision.fail_open


def test_all_down_all_brings_every_server_back_at_its_configured_weight() -> None:
    """Rule 5: fail open, also where servers that are down are removed."""
    for on_failure in OnFailure:
        decision = decide(service(server(A, 3), B, all_down=AllDown.ALL, on_failure=on_failure), {A: DOWN, B: DOWN})
        assert weights(decision) == {A: 3, B: 1}
        assert (decision.standing, decision.available, decision.fail_open) == (Standing.LOST, 0, True)


def test_all_down_waits_until_all_are_known_to_be_down() -> None:
    """Rule 5: an undecided server may be well, and gets no traffic before that is known."""
    decision = decide(service(A, B, all_down=AllDown.ALL), {A: DOWN, B: NEW})
    assert weights(decision) == {A: 0}
    assert not decision.fail_open


def test_all_down_empty_lets_the_service_be_empty() -> None:
    """Rule 5: the default leaves every server at weight 0, or none in the table."""
    assert weights(decide(service(A), {A: DOWN})) == {A: 0}
    assert weights(decide(service(A, on_failure=OnFailure.REMOVE), {A: DOWN})) == {}


def test_a_fallback_goes_before_all_down() -> None:
    """Rule 5 is for services without a fallback."""
    decision = decide(service(A, all_down=AllDown.ALL, fallback=SORRY), {A: DOWN})
    assert weights(decision) == {A: 0, SORRY: 1}
    assert not decision.fail_open


def test_a_configured_weight_of_0_serves_nobody() -> None:
    """A server that is up but configured with weight 0 stays in the table and is not available."""
    decision = decide(service(server(A, 0), fallback=SORRY), {A: UP})
    assert weights(decision) == {A: 0, SORRY: 1}
    assert decision.standing is Standing.LOST


def test_a_service_without_servers_has_its_fallback() -> None:
    """Nobody is available, so the fallback is in."""
    assert weights(decide(service(fallback=SORRY), {})) == {SORRY: 1}
    assert decide(service(), {}).virtual == VirtualService(service().options, {})


def test_options_and_attributes_are_the_configured_ones() -> None:
    """Only the weight of a destination is a matter of health."""
    config = service(A)
    destination = dataclasses.replace(config.servers[0].destination, upper=100, lower=50)
    config = dataclasses.replace(config, servers=(dataclasses.replace(config.servers[0], destination=destination),))
    decision = decide(config, {A: DOWN})
    assert decision.virtual.options == config.options
    assert decision.virtual.destinations == {A: dataclasses.replace(destination, weight=0)}


states = st.builds(
    ServerState, st.sampled_from(Health), found=st.booleans(), wish=st.none() | st.sampled_from([0, 1, 9])
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[ServiceConfig, dict[Endpoint, ServerState]]:
    endpoints = draw(st.lists(st.sampled_from([A, B, C]), unique=True))
    config = service(
        *(server(endpoint, draw(st.sampled_from([0, 1, 5]))) for endpoint in endpoints),
        on_failure=draw(st.sampled_from(OnFailure)),
        all_down=draw(st.sampled_from(AllDown)),
        fallback=draw(st.sampled_from([None, SORRY])),
    )
    return config, {endpoint: draw(states) for endpoint in endpoints}


@given(situations())
def test_rule_6_of_the_design_fallback_exactly_while_nobody_is_available(
    situation: tuple[ServiceConfig, dict[Endpoint, ServerState]],
) -> None:
    """Whatever the servers' states: the fallback is in the table if and only if no real server is available."""
    config, by_server = situation
    decision = decide(config, by_server)
    real = {server.endpoint for server in config.servers if by_server[server.endpoint].health is Health.UP}
    available = {endpoint for endpoint in real if decision.virtual.destinations[endpoint].weight > 0}
    if decision.fail_open:
        assert config.fallback is None
    else:
        assert decision.available == len(available)
    assert decision.fallback_active == (config.fallback is not None and not decision.available)
    assert (SORRY in decision.virtual.destinations) == decision.fallback_active


@given(situations())
def test_an_undecided_server_never_gets_a_weight(
    situation: tuple[ServiceConfig, dict[Endpoint, ServerState]],
) -> None:
    """Traffic that it did not have it does not get, and it does not enter or leave the table."""
    config, by_server = situation
    decision = decide(config, by_server)
    for endpoint, state in by_server.items():
        if state.health is Health.UNDECIDED:
            assert (endpoint in decision.virtual.destinations) == state.found
            assert weights(decision).get(endpoint, 0) == 0
