from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from healthd.config.values import AllDown, OnFailure
from healthd.model import Endpoint
from healthd.policy import ServerState, decide, decide_one
from healthd.verdict import Health
from tests.support.building import SORRY, A, B, C, server, service

states = st.builds(
    ServerState, st.sampled_from(Health), found=st.booleans(), wish=st.none() | st.sampled_from([0, 1, 9])
)
weights = st.sampled_from([0, 1, 5])


@given(
    st.fixed_dictionaries({A: weights, B: weights, C: weights}),
    st.fixed_dictionaries({A: states, B: states, C: states}),
    states,
    st.sampled_from(OnFailure),
    st.sampled_from(AllDown),
    st.sampled_from([None, SORRY]),
)
def test_deciding_one_server_is_deciding_them_all(
    configured: dict[Endpoint, int],
    before: dict[Endpoint, ServerState],
    new: ServerState,
    on_failure: OnFailure,
    all_down: AllDown,
    fallback: Endpoint | None,
) -> None:
    """The short way gives what the long way does, or says that it cannot."""
    config = service(
        *(server(endpoint, configured[endpoint]) for endpoint in (A, B, C)),
        on_failure=on_failure,
        all_down=all_down,
        fallback=fallback,
    )
    short = decide_one(config, decide(config, before), config.servers[0], before[A], new)
    whole = decide(config, {**before, A: new})
    assert short is None or short == whole


def test_among_many_the_short_way_is_taken() -> None:
    """Where others stay available a change of one server concerns no other."""
    config = service(A, B, C)
    up = ServerState(Health.UP)
    before = decide(config, {A: up, B: up, C: up})
    assert decide_one(config, before, config.servers[0], up, ServerState(Health.DOWN)) is not None
