"""Tables that have much in common, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from healthd.model import Destination, Forward, ServiceKey, ServiceOptions, Table, VirtualService
from tests.support.building import KEY, OTHER_KEY, A, B, C

FEW_KEYS = [KEY, OTHER_KEY, ServiceKey.marked(10)]

destinations = st.builds(
    Destination,
    forward=st.sampled_from(Forward),
    weight=st.integers(0, 3),
    upper=st.sampled_from([0, 100]),
)
services = st.builds(
    VirtualService,
    st.builds(ServiceOptions, st.sampled_from(["rr", "wlc"]), persistent=st.none() | st.just(60)),
    st.dictionaries(st.sampled_from([A, B, C]), destinations),
)
tables = st.builds(Table, st.dictionaries(st.sampled_from(FEW_KEYS), services))
"""Few keys, servers and weights, so that two tables have much in common."""
