"""From a letter to a mail."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.mime.text import MIMEText
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from typing import Final
from uuid import UUID

from infra.notify.channel import Letter, Undeliverable

LONGEST_LINE: Final = 998
"""Characters, by RFC 5322; a text with a longer one is wrapped in base64, as is what is not ASCII."""


def mail(letter: Letter, sender: str, at: datetime) -> EmailMessage:
    """Text with HTML beside it. Raises Undeliverable for an address that no mail can have."""
    assert letter.to is not None, "a mail goes to an address"
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = message_id(letter.id, sender)
    message["Date"] = format_datetime(at)
    message["From"] = address(*parseaddr(sender))
    message["To"] = address(letter.to.name, letter.to.email)
    message["Subject"] = " ".join(letter.subject.split())
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = letter.locale
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = "multipart/alternative"
    for text, kind in ((letter.text, "plain"), (letter.html, "html")):
        message.attach(part(text, kind))  # type: ignore[arg-type]  # a part need not be of the newer sort
    return message


def part(text: str, kind: str) -> MIMEText:
    """Of the older sort, whose headers are not parsed when they are set: `set_content` takes ten times as long."""
    as_it_is = text.isascii() and all(len(line) <= LONGEST_LINE for line in text.splitlines())
    if as_it_is:
        return MIMEText(text, kind, "us-ascii")
    return MIMEText("\r\n".join(text.split("\n")), kind, "utf-8")  # in base64 line ends are as they are sent


def message_id(id: UUID, sender: str) -> str:
    """The same whenever this notification is sent: a mail that comes twice can be told to be one."""
    return f"<{id}@{domain_of(parseaddr(sender)[1])}>"


def address(name: str, email: str) -> Address:
    """A name on one line, a host in its ASCII form. Raises Undeliverable."""
    local, _, host = email.strip().rpartition("@")
    if not local or not host or any(map(str.isspace, local + host)):
        raise Undeliverable("BAD_ADDRESS", "no mail can have this address: it is not name@host")
    try:
        return Address(" ".join(name.split()), local, host.encode("idna").decode("ascii"))
    except (ValueError, IndexError) as error:
        raise Undeliverable("BAD_ADDRESS", f"no mail can have this address: {type(error).__name__}") from None


def needs_utf8(message: EmailMessage) -> bool:
    """Whether an address can only be written in UTF-8, which not every server takes."""
    return not all(a.addr_spec.isascii() for name in ("From", "To") for a in message[name].addresses)


def as_bytes(message: EmailMessage) -> bytes:
    return message.as_bytes(policy=SMTPUTF8 if needs_utf8(message) else SMTP)


def domain_of(email: str) -> str:
    return email.rpartition("@")[2]
