"""The files themselves, without a browser."""

import re

import pytest

from healthd.page import INDEX, MEDIA_TYPES, STATIC, Page

OURS = [path for path in Page().paths if not path.startswith("vendor/")]


def text(path: str) -> str:
    file = Page().file(path)
    assert file is not None
    return file.body.decode()


@pytest.mark.parametrize(
    "path", ["", "..", "../__init__.py", "/etc/passwd", "vendor", "vendor/", "./app.js", "app.js\0"]
)
def test_no_path_leads_out_of_the_folder(path: str) -> None:
    """Only the names of files that are there lead to one."""
    assert Page().file(path) is None


def test_a_licence_lies_beside_what_was_taken_over() -> None:
    """It is shipped, not served."""
    assert Page().file("vendor/uplot/LICENSE") is None
    assert "MIT License" in (STATIC / "vendor/uplot/LICENSE").read_text()


def test_every_file_has_a_type_and_a_tag() -> None:
    """Without its type a browser runs no script; equal tags mean equal files."""
    page = Page()
    found = [page.file(path) for path in page.paths]
    assert {file.media_type for file in found if file} == set(MEDIA_TYPES.values())
    assert len({file.etag for file in found if file}) == len(found)
    assert page.file(INDEX) is page.file(INDEX)


@pytest.mark.parametrize("path", OURS)
def test_nothing_is_fetched_from_elsewhere(path: str) -> None:
    """A director often has no way out, and nobody else is to know who looks at it."""
    assert (
        re.findall(r"(?:https?:)?//[a-z0-9][^\s\"']*\.[^\s\"']*", text(path).replace("http://www.w3.org/2000/svg", ""))
        == []
    )


@pytest.mark.parametrize("path", OURS)
def test_what_servers_say_is_never_markup(path: str) -> None:
    """There is no way at all from a text to elements or code."""
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc|\beval\b|new Function|cssText"
    assert re.findall(ways, text(path)) == []


def test_what_the_policy_forbids_is_not_in_the_page() -> None:
    """No script and no style within the page; every file that it names is there."""
    index = text(INDEX)
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", index) == []
    named = re.findall(r'(?:src|href)="static/([^"]+)"', index)
    assert [path for path in named if Page().file(path) is None] == []


@pytest.mark.parametrize("path", [path for path in OURS if path.endswith(".js")])
def test_every_module_imports_what_is_there(path: str) -> None:
    """A name that is misspelt would leave a white page."""
    named = re.findall(r"(?:from|import\() ?\"\./([^\"]+)\"", text(path))
    assert [name for name in named if Page().file(name) is None] == []
