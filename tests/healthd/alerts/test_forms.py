from __future__ import annotations

import dataclasses
import json
from typing import Any, get_args

import pytest

from healthd.alerts.batch import Batch
from healthd.alerts.document import document, fields
from healthd.alerts.forms import Forms
from healthd.config.alertfields import TEMPLATE_FIELDS, template_error
from healthd.config.values import Format, WebhookConfig
from tests.healthd.alerts.making import batch, down, lost, up

EVIL = 'x <!channel> [a](http://evil.test) "\\\n\x1b[2J & </script>'


def body(form: Format, made: Batch) -> dict[str, Any]:
    (post,) = Forms(WebhookConfig(url="http://h/", format=form), "lb1").posts(made, "", 0.0)
    found: dict[str, Any] = json.loads(post.body)
    return found


def many(count: int) -> Batch:
    return batch(*[down(f"10.0.{n >> 8}.{n & 255}:80", detail="x" * 3000) for n in range(count)], lost=2)


def test_slack() -> None:
    """A header, what happened with time and severity, and where it comes from; `text` is for notifications."""
    told = body("slack", batch(lost(), down()))
    assert told["text"] == "2 events: web has no server left, web server 10.0.0.1:80 down"
    kinds = [block["type"] for block in told["blocks"]]
    assert kinds == ["header", "section", "section", "context"]
    assert told["blocks"][1]["text"]["text"].startswith("CRITICAL web: no real server left; ")
    assert told["blocks"][3]["elements"][0]["text"] == "healthd on lb1, alert ops"


def test_slack_takes_no_markup_from_strangers() -> None:
    """What servers answered mentions nobody and links nowhere: plain text, and escaped where Slack knows markup."""
    told = body("slack", batch(dataclasses.replace(down(detail=EVIL), service="<!channel>")))
    assert "<" not in told["text"]
    texts = [block.get("text") or block["elements"][0] for block in told["blocks"]]
    assert {text["type"] for text in texts} == {"plain_text"}


def test_slack_is_bounded() -> None:
    """At most 50 blocks of 3000 characters, with a count of what is left out; a header has 150."""
    told = body("slack", many(1000))
    assert len(told["blocks"]) <= 50
    assert all(len(block["text"]["text"]) <= 3000 for block in told["blocks"] if block["type"] == "section")
    assert len(told["blocks"][0]["text"]["text"]) <= 150
    texts = [block["text"]["text"] for block in told["blocks"] if block["type"] == "section"]
    assert texts[-2] == "... and 985 more"
    assert "2 earlier events are in no message" in texts[-1]


def test_teams() -> None:
    """An Adaptive Card in a message, as the webhook trigger of Workflows takes it."""
    told = body("teams", batch(down()))
    assert told["type"] == "message"
    (attachment,) = told["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    title, row, origin = card["body"]
    assert title["inlines"][0]["text"] == "web: server 10.0.0.1:80 down"
    assert row["inlines"][0]["color"] == "Warning"
    assert row["inlines"][0]["text"].startswith("WARNING web: server 10.0.0.1:80 up -> down ")
    assert origin["inlines"][0]["text"] == "healthd on lb1, alert ops"


def test_teams_takes_no_markup_from_strangers_and_is_bounded() -> None:
    """Only blocks that know no Markdown, and less than 28 KB."""
    told = body("teams", many(1000))
    assert {block["type"] for block in told["attachments"][0]["content"]["body"]} == {"RichTextBlock"}
    assert len(json.dumps(told)) < 28 * 1024


def test_json_is_what_programs_get() -> None:
    """The same document as on the standard input of a command."""
    made = batch(down(), up())
    assert body("json", made) == json.loads(document(made, "lb1"))


@pytest.mark.parametrize("form", get_args(Format))
def test_every_form_is_json_whatever_servers_answer(form: Format) -> None:
    """No text can break out of its place."""
    made = batch(dataclasses.replace(down(detail=EVIL + "\udcff"), service=EVIL))
    for post in Forms(WebhookConfig(url="http://h/", format=form), EVIL).posts(made, "token", 0.0):
        assert json.loads(post.body)


def template(text: str, content_type: str = "application/json", made: Batch | None = None) -> str:
    config = WebhookConfig(url="http://h/", template=text, content_type=content_type)
    (post,) = Forms(config, "lb1").posts(made or batch(down()), "", 0.0)
    assert post.content_type == content_type
    return post.body.decode()


def test_a_template_names_what_it_wants() -> None:
    """Fields are replaced, a doubled dollar is one."""
    told = json.loads(template('{"m": "$$ $headline", "n": $count, "k": "${key}", "s": "$status"}'))
    assert told == {
        "m": "$ web: server 10.0.0.1:80 down",
        "n": 1,
        "k": "healthd/lb1/server/web/10.0.0.1:80",
        "s": "firing",
    }
    assert template("$status", "text/plain", batch(up())) == "resolved"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json; charset=utf-8", r"a \"\\<b> & c$d"),
        ("application/vnd.x+json", r"a \"\\<b> & c$d"),
        ("application/x-www-form-urlencoded", "a+%22%5C%3Cb%3E+%26+c%24d"),
        ("text/html", "a &quot;\\&lt;b&gt; &amp; c$d"),
        ("application/xml", "a &quot;\\&lt;b&gt; &amp; c$d"),
        ("text/plain", 'a "\\<b> & c$d'),
    ],
)
def test_fields_are_escaped_for_where_they_go(content_type: str, expected: str) -> None:
    """By the type that is named."""
    made = batch(dataclasses.replace(lost(), service='a "\\<b> & c$d'))
    assert template("$service", content_type, made) == expected


def test_the_fields_are_those_that_the_configuration_allows() -> None:
    """What is checked when it is loaded is what is there when it is used."""
    assert tuple(fields(batch(down()), "lb1")) == TEMPLATE_FIELDS


@pytest.mark.parametrize(
    ("text", "content_type", "wrong"),
    [
        ('{"text": "$text"}', "application/json", ""),
        ("${text", "text/plain", "a $ has to stand before the name of a field"),
        ("costs 5 $", "text/plain", '"$$" is a dollar sign'),
        ("$sevice", "text/plain", 'no field is named "sevice"; did you mean "service"?'),
        ("$zzz", "text/plain", 'no field is named "zzz"; there are alert, event, '),
        ('{"text": $text}', "application/json", "does not give JSON"),
        ('{"count": $count}', "application/json", ""),
        ("{0.__class__} $text", "text/plain", ""),
    ],
)
def test_what_is_wrong_with_a_template(text: str, content_type: str, wrong: str) -> None:
    """Said when it is loaded; nothing in it is run."""
    found = template_error(text, content_type)
    assert (wrong in found) if wrong else not found
