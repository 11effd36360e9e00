"""What users say about themselves and what they choose."""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from domain.value import Line, Name, Note, Value

MAX_EMAIL: Final = 254
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+")


def normalised(email: str) -> str:
    """The form in which two spellings of an e-mail address are the same: NFKC, casefold, domain in its ASCII form.

    Raises ValueError when it is no e-mail address.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email.strip()).casefold())
    if len(text) > MAX_EMAIL or not _EMAIL.fullmatch(text) or any(map(_unseen, text)):
        raise ValueError("this is not an e-mail address: name@example.org is the form, at most 254 characters")
    local, _, host = text.rpartition("@")
    return f"{local}@{_ascii(host)}"


def _unseen(character: str) -> bool:
    """Control and format characters: two addresses that look the same must be the same."""
    return unicodedata.category(character).startswith("C")


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError("the part behind the @ is not the name of a host") from None


def _checked(email: str) -> str:
    normalised(email)
    return email.strip()


Email = Annotated[str, AfterValidator(_checked), Field(json_schema_extra={"format": "email", "maxLength": MAX_EMAIL})]
"""An address as its owner writes it; `normalised` says which are the same."""

Url = Annotated[str, StringConstraints(pattern=r"^https://[^\s/\x00-\x1f]+\.[^\s\x00-\x1f]+$", max_length=2000)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$")]


class Profile(Value):
    """Always personal."""

    display_name: Name
    first_name: Line | None = None
    last_name: Line | None = None
    avatar_url: Url | None = None
    bio: Note | None = None


class Notice(Enum):
    """Mails a user may choose to get or not to get."""

    ORDER_UPDATES = "order_updates"
    BACK_IN_STOCK = "back_in_stock"
    OFFERS = "offers"


def _in_order(notices: tuple[Notice, ...]) -> tuple[Notice, ...]:
    """Each once and always in the same order, so that equal settings are stored as equal bytes."""
    return tuple(notice for notice in Notice if notice in notices)


Notices = Annotated[tuple[Notice, ...], Field(max_length=20), AfterValidator(_in_order)]


class Means(Enum):
    """By what nothing personal is left in a place."""

    SEALED = "sealed"  # all of it was sealed under the key that is gone
    CLEARED = "cleared"  # it was looked through, and what was found taken out
    IDS = "ids"  # nothing but ids and numbers ever gets there


class Place(Value):
    """Where an erased user was looked for: how many rows are about them, and from how many something was taken out."""

    name: str
    means: Means
    rows: int = Field(default=0, ge=0)
    cleared: int = Field(default=0, ge=0)


class Settings(Value):
    locale: Locale = "en"
    notices: Notices = (Notice.ORDER_UPDATES, Notice.BACK_IN_STOCK)
