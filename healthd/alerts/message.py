"""A batch as a mail message (RFC 5322). Pure but for the time zone of this machine."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.utils import formatdate

from healthd.alerts.batch import Batch
from healthd.alerts.wording import body, headline
from healthd.config.values import MailConfig
from healthd.events import one_line


def compose(batch: Batch, config: MailConfig, host: str) -> EmailMessage:
    """The same Message-ID at every try: a server that took it twice can tell.

    Raises:
        ValueError: an address of the configuration does not fit into a header.

    """
    message = EmailMessage()
    message["From"] = config.sender
    message["To"] = ", ".join(config.to)
    message["Subject"] = one_line(f"[healthd {host}] {headline(batch)}")
    message["Date"] = formatdate(batch.at, localtime=True)
    message["Message-ID"] = f"<healthd.{batch.id}@{domain(host)}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notice answers it
    message.set_content(body(batch, host), cte="quoted-printable")  # passes servers that know no 8BITMIME
    return message


def domain(host: str) -> str:
    """`host` as a domain that may stand in EHLO and Message-ID, whatever the machine is called."""
    return re.sub(r"[^A-Za-z0-9.-]", "-", host).strip(".-") or "localhost"
