"""Shows a person the mails that were kept instead of sent."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final
from uuid import UUID

from domain.errors import NotFound
from infra.cli.show import show
from infra.mail.kept import Entry, MailDirectory
from infra.settings import Settings

HEADERS: Final = ("Message-ID", "Date", "From", "To", "Subject")


def show_list(settings: Settings, limit: int, *, as_json: bool) -> None:
    found = kept(settings).entries()[:limit]
    show(map(asdict if as_json else short, found), as_json=as_json)


def show_one(settings: Settings, id: UUID, *, html: bool) -> None:
    """Raises NotFound."""
    message = kept(settings).read(id)
    if message is None:
        raise NotFound("mail", id)
    body = message.get_body(("html",) if html else ("plain",))
    assert body is not None, "a mail of ours has both"
    for name in HEADERS:
        print(f"{name}: {message[name]}")
    print(f"\n{body.get_content()}")


def kept(settings: Settings) -> MailDirectory:
    assert settings.mail_directory is not None, "an installation has one"
    return MailDirectory(settings.mail_directory)


def short(entry: Entry) -> dict[str, str]:
    return {
        "id": str(entry.id),
        "at": entry.at.isoformat()[:19],
        "to": entry.to,
        "subject": entry.subject,
    }
