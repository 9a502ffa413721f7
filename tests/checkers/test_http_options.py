from pathlib import Path
from typing import Any

import pytest

from checkers.base import OptionError
from checkers.http import Http, Https


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"path": "index.html"}, "path", 'must start with "/"'),
        ({"path": "/a b"}, "path", "without blanks"),
        ({"path": "/a\r\nX: y"}, "path", "without blanks"),
        ({"host": "a/b"}, "host", "must be a name or an address"),
        ({"host": "www.exämple.com"}, "host", "must be a name or an address"),
        ({"headers": {"Host": "x"}}, "headers", "Host is set with the option host"),
        ({"headers": {"connection": "x"}}, "headers", "connection is not an option: every check closes"),
        ({"headers": {"Content-Length": "3"}}, "headers", "it follows from body"),
        ({"headers": {"X-A": "b\r\nX-C: d"}}, "headers", "the value of X-A may hold no line break"),
        ({"headers": {"X A": "b"}}, "headers", '"X A" is no name of a header field'),
        ({"body": "x"}, "body", 'needs method = "POST" or "PUT"'),
        ({"user": "a"}, "user", "needs password_file"),
        ({"password_file": "/x"}, "password_file", "needs user"),
        ({"user": "a:b", "password_file": "/x"}, "user", "no colon"),
        ({"user": "a", "password_file": "/no/such"}, "password_file", 'cannot read "/no/such": No such file or direct'),
        ({"status": "2xx"}, "status", '"2xx" is neither'),
        ({"status": "300-200"}, "status", '"300-200" is neither'),
        ({"status": ""}, "status", '"" is neither'),
        ({"expect": ""}, "expect", "must not be empty"),
        ({"expect": "a", "method": "HEAD"}, "expect", "has no body"),
        ({"expect_regex": "("}, "expect_regex", '"(" is not a regular expression: missing )'),
        ({"expect_header": {"A": "["}}, "expect_header", '"[" is not a regular expression'),
        ({"max_body": 0}, "max_body", "must be from 1 to 16777216 bytes, not 0"),
        ({"follow_redirects": -1}, "follow_redirects", "must be from 0 to 10, not -1"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], option: str, message: str) -> None:
    """The error names the option and what it should be."""
    with pytest.raises(OptionError) as caught:
        Http(**options)
    assert caught.value.option == option
    assert message in str(caught.value)


def test_password_file_holds_one_line(tmp_path: Path) -> None:
    """An empty file or a second line is refused, and the content is not in the message; nor is a second password."""
    file = tmp_path / "password"
    for content in ("", "\n", "one\ntwo\n"):
        file.write_text(content)
        with pytest.raises(OptionError, match="in one line, and nothing else") as caught:
            Http(user="a", password_file=str(file))
        assert "two" not in str(caught.value)
    file.write_text("one\n")
    with pytest.raises(OptionError, match="set already by user"):
        Http(user="a", password_file=str(file), headers={"authorization": "Bearer x"})


def test_https_is_http_with_tls() -> None:
    """`https` speaks TLS on port 443 and cannot be told otherwise."""
    assert (Http.default_port, Https.default_port, Https().tls) == (80, 443, True)
    with pytest.raises(OptionError, match="cannot be false"):
        Https(tls=False)


def test_a_checker_can_be_a_key() -> None:
    """Equal checkers have equal hashes, with header fields too."""
    first, second = (Http(headers={"X-A": "b"}, expect_header={"X-C": "d"}) for _ in range(2))
    assert len({first, second, Http()}) == 2
