"""Times in options of checks."""

import pytest

from checkers.base import OptionError
from checkers.durations import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("50ms", 0.05), ("1.5s", 1.5), ("2m", 120.0), ("3h", 10800.0), ("14d", 1209600.0), ("36500d", 3153600000.0)],
)
def test_units(text: str, seconds: float) -> None:
    """Those of the whole configuration."""
    assert seconds_of("max_lag", text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "5 s", "-5s", "5w", "1e3s", "\u0665s", "s", "0s", "36501d", "9999999999s"])
def test_no_durations(text: str) -> None:
    """No unit, another one, no number, none at all, and more than a hundred years; the option is named."""
    with pytest.raises(OptionError) as caught:
        seconds_of("max_lag", text)
    assert caught.value.option == "max_lag"
