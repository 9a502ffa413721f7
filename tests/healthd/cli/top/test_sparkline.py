from healthd.cli.top.sparkline import PLAIN, bars


def test_bars() -> None:
    """The greatest is the highest, a failure has a mark, the newest is on the right."""
    assert bars([0.0, 1.0, None, 8.0], 6) == "  ▁▂x█"
    assert bars([1.0, 2.0, 4.0], 2) == "▅█"
    assert bars([4.0, 8.0], 2, PLAIN) == "+*".replace("+", PLAIN[4]).replace("*", PLAIN[7])


def test_nothing_to_show() -> None:
    """No time, no failure, only nothing: all without a division by it."""
    assert bars([], 3) == "   "
    assert bars([0.0, 0.0], 3) == " ▁▁"
    assert bars([None, None], 3) == " xx"
