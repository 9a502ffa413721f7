from pathlib import Path

import click
import pytest

from healthd.cli import options
from healthd.cli.exits import Exit, Problem
from healthd.cli.locate import by_configuration, by_url


def written(folder: Path, text: str, name: str = "healthd.toml") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    return path


def test_the_socket_is_in_state_dir(tmp_path: Path) -> None:
    """Under a fixed name, unless [control] names another; a name without a folder is in state_dir too."""
    path = written(tmp_path, '[healthd]\nstate_dir = "/srv/h"\n')
    assert by_configuration(path).path == Path("/srv/h/control.sock")
    path = written(tmp_path, '[healthd]\nstate_dir = "/srv/h"\n[control]\nsocket = "/run/healthd/h.sock"\n')
    assert by_configuration(path).path == Path("/run/healthd/h.sock")
    assert by_configuration(written(tmp_path, "[service.web]\n")).path == Path("/var/lib/healthd/control.sock")


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    """The setting may be in any of its files, hidden ones and others are none of them."""
    written(tmp_path / "conf.d", "[service.web]", "10.toml")
    written(tmp_path / "conf.d", '[healthd]\nstate_dir = "/wrong"', ".20.toml")
    written(tmp_path / "conf.d", '[healthd]\nstate_dir = "/right"', "90.toml")
    place = by_configuration(tmp_path / "conf.d")
    assert place.path == Path("/right/control.sock")
    assert place.because == f"state_dir in {tmp_path}/conf.d/90.toml"


@pytest.mark.parametrize("text", ["[healthd", 'healthd = 3\ncontrol = ["x"]', "[healthd]\nstate_dir = 7", "\udcff"])
def test_a_broken_configuration_keeps_nobody_from_asking(tmp_path: Path, text: str) -> None:
    """The daemon runs with the one before it was broken."""
    path = tmp_path / "healthd.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert by_configuration(path).path == Path("/var/lib/healthd/control.sock")


def test_a_socket_that_is_off(tmp_path: Path) -> None:
    """Then there is only TCP."""
    with pytest.raises(Problem, match="--server") as caught:
        by_configuration(written(tmp_path, '[control]\nsocket = "off"'))
    assert caught.value.status == Exit.UNAVAILABLE


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:9080", "http://127.0.0.1:9080"),
        ("https://lb1", "https://lb1:443"),
        ("http://[2001:db8::1]:9080/", "http://[2001:db8::1]:9080"),
    ],
)
def test_urls(url: str, shown: str) -> None:
    """A host and a port, with or without TLS."""
    assert str(by_url(url, None)) == shown


@pytest.mark.parametrize("url", ["lb1:9080", "ftp://lb1", "http://", "http://lb1:port", "http://lb1/x", "http://[lb1"])
def test_what_is_no_url(url: str) -> None:
    """Refused as a mistake of the command line."""
    with pytest.raises(click.UsageError, match="--server"):
        by_url(url, None)


def test_a_token(tmp_path: Path) -> None:
    """The last word of the first line that is no comment; it is never shown."""
    path = written(tmp_path, "# mine\n\nann operate s3cret\nbob read other\n", "token")
    place = by_url("https://lb1", path)
    assert place.token == "s3cret"
    assert "s3cret" not in repr(place)
    with pytest.raises(Problem, match="holds no token"):
        by_url("https://lb1", written(tmp_path, "# nothing\n", "empty"))
    with pytest.raises(Problem, match="No such file"):
        by_url("https://lb1", tmp_path / "missing")


def test_which_option_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written in the command goes before the environment, and that before the default."""
    path = written(tmp_path, '[healthd]\nstate_dir = "/srv/h"\n')
    monkeypatch.setenv("HEALTHD_SOCKET", "/run/env.sock")
    assert options.place({"socket": Path("/run/s.sock"), "path": path}).path == Path("/run/s.sock")
    assert options.place({"path": path}).path == Path("/srv/h/control.sock")
    assert options.place({}).path == Path("/run/env.sock")
    monkeypatch.setenv("HEALTHD_SOCKET", "")
    assert options.place({"new": path}).path == Path("/var/lib/healthd/control.sock")


@pytest.mark.parametrize(
    "given", [{"server": "http://lb1", "socket": Path("/s")}, {"token_file": Path("/t")}, {"server": "lb1"}]
)
def test_options_that_contradict(given: dict[str, object]) -> None:
    """Said, not guessed."""
    with pytest.raises(click.UsageError):
        options.place(given)
    with pytest.raises(Problem, match="does not exist"):
        options.place({"path": Path("/nonexistent/conf.d")})
