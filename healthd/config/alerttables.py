"""The tables of alerts as they are written. Like `models`, nothing is filled in yet."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StrictBool, with_config
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from healthd.config.alertfields import ContentType, Headers, HttpUrl, RateText, Text
from healthd.config.fields import (
    Argv,
    Duration,
    DurationOrZero,
    FileText,
    MailAddress,
    MailAddresses,
    Patterns,
    choice,
    choices,
    duration,
    whole,
    word,
)
from healthd.events import KINDS

_CLOSED = ConfigDict(extra="forbid")

TYPES = ("mail", "command", "webhook", "apprise")
FORMATS = ("json", "slack", "teams", "pagerduty", "alertmanager")
SECURITIES = ("none", "starttls", "tls")

Minutes = Annotated[float, duration(60.0)]


def _doc(text: str) -> Any:
    return Field(description=text)


class AlertTable(TypedDict, total=False):
    type: Annotated[Literal["mail", "command", "webhook", "apprise"], choice(TYPES), _doc("How people are told.")]
    events: Annotated[tuple[str, ...], choices(KINDS, "names of events"), _doc("What is told.")]
    services: Annotated[Patterns, _doc("Of which services, by name or pattern.")]
    burst: Annotated[DurationOrZero, _doc("What happens within this time of a first event is told together.")]
    repeat: Annotated[Minutes, _doc("What still fails is told again after this time, and every such time.")]
    rate: Annotated[RateText, _doc('At most so many messages in such a time, as "20/1h"; more are put together.')]
    heartbeat: Annotated[Minutes, _doc("A sign of life at this pace, so that silence is noticed.")]
    timeout: Annotated[Duration, _doc("The deadline of one attempt to deliver.")]


_From = TypedDict("_From", {"from": Annotated[MailAddress, _doc("The sender of the mails.")]}, total=False)


class _Lasting(TypedDict, total=False):
    retry_for: Annotated[DurationOrZero, _doc("For how long a message that cannot be sent is tried again.")]


class _Secured(TypedDict, total=False):
    verify: Annotated[StrictBool, _doc("Whether the certificate of the other side must be good.")]
    ca_file: Annotated[FileText, _doc("Certificates to trust instead of the system's.")]


@with_config(_CLOSED)
class MailTable(AlertTable, _From, _Secured, _Lasting, total=False):
    to: Annotated[MailAddresses, _doc("One recipient or an array of them.")]
    host: Annotated[str, word('the name of a mail server such as "localhost"'), _doc("The mail server.")]
    port: Annotated[int, whole(1, 65535), _doc("25 unless given; 587 with starttls, 465 with tls.")]
    security: Annotated[Literal["none", "starttls", "tls"], choice(SECURITIES), _doc("How the connection is secured.")]
    user: Annotated[str, word('a user name such as "healthd"'), _doc("Whom to log in as.")]
    password_file: Annotated[FileText, _doc("A file that holds the password; read for every message.")]


@with_config(_CLOSED)
class CommandTable(AlertTable, _Lasting, total=False):
    command: Annotated[Argv, _doc("The program and its arguments; the event comes as JSON on standard input.")]


@with_config(_CLOSED)
class WebhookTable(AlertTable, _Secured, _Lasting, total=False):
    url: Annotated[HttpUrl, _doc("Where messages are sent to.")]
    url_file: Annotated[FileText, _doc("A file that holds the URL, where it is a secret.")]
    method: Annotated[Literal["POST", "PUT"], choice(("POST", "PUT")), _doc("The method of the request.")]
    headers: Annotated[Headers, _doc("Headers of the request, beside those that healthd sets.")]
    format: Annotated[
        Literal["json", "slack", "teams", "pagerduty", "alertmanager"], choice(FORMATS), _doc("The form of the body.")
    ]
    template: Annotated[Text, _doc("Instead of `format`: the body, in which $text and other fields are replaced.")]
    template_file: Annotated[FileText, _doc("A file that holds the template; read when healthd starts or reloads.")]
    content_type: Annotated[ContentType, _doc("What the template gives; fields are escaped for it.")]
    token_file: Annotated[FileText, _doc("A file with a bearer token, for PagerDuty with the integration key.")]
    secret_file: Annotated[FileText, _doc("A file with the key of the HMAC-SHA256 signature in X-Healthd-Signature.")]
    heartbeat_url: Annotated[HttpUrl, _doc("Where the sign of life goes, by GET, instead of a message.")]


@with_config(_CLOSED)
class AppriseTable(AlertTable, _Lasting, total=False):
    urls_file: Annotated[FileText, _doc("A file with URLs of Apprise's, one in a line; read for every message.")]
