import pytest

from healthd.cli import answers
from healthd.cli.terminal import cells
from healthd.cli.top.frame import Frame
from healthd.cli.top.layout import Size, rows_seen, screen
from healthd.cli.top.view import View
from tests.support import control_answers as made

STATUS = answers.status(
    made.status(
        made.service(*(made.server(f"10.0.0.{n}") for n in range(1, 60)), made.server("10.0.0.60", "down")),
        unusual=tuple(f"odd thing {n}" for n in range(9)),
    )
)
FRAME = Frame(STATUS, {("web", "10.0.0.60:80"): [(1.0, 0.004), (2.0, None)]})


def drawn(view: View, size: Size, frame: Frame = FRAME) -> list[str]:
    return [line.text for line in screen(view, frame, size)]


@pytest.mark.parametrize("view", [View(), View(detail=True), View(keys=True), View(typing=True, pattern="x" * 200)])
@pytest.mark.parametrize("size", [Size(80, 24), Size(139, 50), Size(20, 5), Size(300, 10)], ids=str)
def test_it_fits_any_window(view: View, size: Size) -> None:
    """Never a line too many or too long, however small the window."""
    lines = drawn(view, size)
    assert len(lines) <= size.height
    assert all(cells(line) <= size.width for line in lines)


def test_what_stands_on_top() -> None:
    """The whole, the unusual, the order; then the gravest server, with the bar on it."""
    lines = screen(View(), FRAME, Size(139, 24))
    texts = [line.text for line in lines]
    assert texts[0].startswith("lb1: 1 service, 60 servers: 59 up, 1 down")
    assert texts[1:5] == ["! odd thing 0", "! odd thing 1", "! odd thing 2", "! and 6 more: healthd status"]
    assert texts[5].startswith("60 servers by trouble")
    assert texts[7].split()[:3] == ["web", "10.0.0.60:80", "down"]
    assert "▁x" in texts[7].replace("█", "▁")
    assert lines[7].style == "bold red chosen"


def test_the_bar_stays_in_sight() -> None:
    """The list moves with it."""
    lines = drawn(View(sort="service", chosen=("web", "10.0.0.60:80")), Size(139, 24))
    assert lines[-1].split()[1] == "10.0.0.60:80"


def test_the_pane() -> None:
    """Everything about one server, below, with the list above."""
    lines = drawn(View(detail=True), Size(139, 30))
    assert "web/10.0.0.60:80" in lines
    assert any(line.startswith("latency") and "mean 4.0ms, at most 4.0ms" in line for line in lines)
    assert len(lines) == 30
    assert rows_seen(View(detail=True), FRAME, Size(139, 30)) < rows_seen(View(), FRAME, Size(139, 30))


def test_the_past() -> None:
    """The last hour from the daemon's history, if it is that of the chosen server."""
    frame = Frame(STATUS, past=[0.001, None, 0.003], past_of=("web", "10.0.0.60:80"))
    shown = next(line for line in drawn(View(detail=True), Size(139, 30), frame) if line.startswith("last hour"))
    assert "mean 2.0ms, at most 3.0ms" in shown
    other = View(detail=True, sort="service")
    assert not any(line.startswith("last hour") for line in drawn(other, Size(139, 30), frame))


def test_a_daemon_that_is_gone() -> None:
    """Said on top, and what is old stays to be seen."""
    lines = screen(View(), Frame(STATUS, gone="UNREACHABLE since 2026-11-22 15:04:05"), Size(100, 24))
    assert (lines[0].text, lines[0].style) == ("! UNREACHABLE since 2026-11-22 15:04:05", "bold red")
    assert lines[1].text.startswith("lb1: 1 service")


def test_nobody_fits() -> None:
    """An empty list is no mistake."""
    assert "0 servers" in "\n".join(drawn(View(pattern="nothing like it", detail=True), Size(80, 24)))
