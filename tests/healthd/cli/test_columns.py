from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from healthd.cli.columns import Column, Row, cut, lines, single
from healthd.cli.terminal import cells

COLUMNS = (Column("SERVER"), Column("STATE"), Column("TIME", right=True, spare=2), Column("AGE", right=True, spare=1))


def plain(text: str, _style: str) -> str:
    return text


def tagged(text: str, style: str) -> str:
    return f"<{style}>{text}</>" if style else text


def drawn(rows: Sequence[Row], width: int) -> list[str]:
    return list(lines(COLUMNS, rows, "REASON", width, plain))


FULL = Row(("10.0.0.2:80", "down", "4ms", "2s"), "connecting to 10.0.0.2:80: Connection refused (ECONNREFUSED)")


def test_with_room_the_text_stands_in_its_column() -> None:
    """Numbers are aligned on the right, words on the left, and no line ends in spaces."""
    assert drawn([FULL, Row(("10.0.0.11:80", "up", "12ms", "2m"))], 200) == [
        "SERVER        STATE  TIME  AGE  REASON",
        "10.0.0.2:80   down    4ms   2s  connecting to 10.0.0.2:80: Connection refused (ECONNREFUSED)",
        "10.0.0.11:80  up     12ms   2m",
    ]


def test_with_less_it_folds_in_its_column() -> None:
    """Nothing of it is lost."""
    assert drawn([FULL], 72) == [
        "SERVER       STATE  TIME  AGE  REASON",
        "10.0.0.2:80  down    4ms   2s  connecting to 10.0.0.2:80: Connection",
        "                               refused (ECONNREFUSED)",
    ]


def test_with_little_it_stands_below_its_row() -> None:
    """A column of a few characters could not be read."""
    assert drawn([FULL], 48) == [
        "SERVER       STATE  TIME  AGE",
        "10.0.0.2:80  down    4ms   2s",
        "      connecting to 10.0.0.2:80: Connection",
        "      refused (ECONNREFUSED)",
    ]


def test_with_none_spare_columns_are_left_out() -> None:
    """The one with the highest number first."""
    assert drawn([FULL], 27)[:2] == ["SERVER       STATE  AGE", "10.0.0.2:80  down    2s"]
    assert drawn([FULL], 20)[:2] == ["SERVER       STATE", "10.0.0.2:80  down"]


def test_headings_have_a_line_of_their_own() -> None:
    """They fold too, and make no column wider."""
    assert drawn([Row((), "a heading that is longer than all below"), Row(("a", "up", "1ms", "1s"))], 30) == [
        "SERVER  STATE  TIME  AGE",
        "a heading that is longer than",
        "all below",
        "a       up      1ms   1s",
    ]


def test_styles_do_not_shift_columns() -> None:
    """What is invisible takes no room."""
    row = Row(("a", "down", "1ms", "1s"), "", ((1, "bold red"),))
    assert list(lines(COLUMNS, [row], "", 80, tagged))[1] == "a       <bold red>down</>    1ms   1s"


def test_nothing_forges_a_line() -> None:
    """What a peer said comes out escaped, whatever it was."""
    shown = drawn([Row(("a\n", "up", "\x1b[2J", "1s"), "b\r\nc")], 200)
    assert len(shown) == 2
    assert all(line.isprintable() for line in shown)


def test_wide_characters_count_twice() -> None:
    """Columns stay aligned on the screen."""
    shown = drawn([Row(("日本", "up", "1ms", "1s")), Row(("abcd", "up", "1ms", "1s"))], 80)
    assert cells(shown[1]) == cells(shown[2])


def test_single_lines_do_not_fold() -> None:
    """For a screen that cuts them."""
    assert len(list(single(COLUMNS, [FULL, FULL], "REASON", 40))) == 3


@given(st.text(max_size=300), st.integers(min_value=5, max_value=100))
def test_cut(text: str, width: int) -> None:
    """Never wider than allowed, and what fits stays whole."""
    assert cells(cut(text, width)) <= width
    if cells(text) <= width:
        assert cut(text, width) == text


@given(st.text(max_size=200), st.integers(min_value=40, max_value=120))
def test_no_line_is_wider_than_the_terminal(note: str, width: int) -> None:
    """Unless its columns are."""
    assert max(cells(line) for line in drawn([Row(("a", "up", "1ms", "1s"), note)], width)) <= width + 10
