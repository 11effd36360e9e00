"""Many sagas that were picked for one action, each at the version that was seen, as addresses and forms have them."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from uuid import UUID, uuid5

from domain.sagas.events import ActionKind
from sagas.dashboard.visit import Refused

MOST: Final = 100
LONGEST: Final = 16 + 4  # bytes of one that is packed
LAST: Final = 2**31  # versions beyond are none


@dataclass(frozen=True, slots=True)
class Pick:
    """A saga at the version that was seen."""

    id: UUID
    version: int

    def __str__(self) -> str:
        return f"{self.id}~{self.version}"


@dataclass(frozen=True, slots=True)
class Selection:
    """The first one goes alone: what comes of it says whether the others are to follow."""

    kind: ActionKind
    picks: Sequence[Pick]

    @property
    def canary(self) -> Pick:
        return self.picks[0]

    @property
    def others(self) -> Sequence[Pick]:
        return self.picks[1:]

    def action_of(self, pick: Pick, key: UUID) -> UUID:
        """The same whenever the same is asked for by the same form; of another selection or action it is another."""
        whole = uuid5(key, " ".join([self.kind, *map(str, self.picks)]))
        return uuid5(whole, str(pick.id))

    def packed(self) -> str:
        return urlsafe_b64encode(b"".join(p.id.bytes + p.version.to_bytes(4, "big") for p in self.picks)).decode()


def unpacked(kind: ActionKind, text: str) -> Selection:
    """Raises Refused."""
    try:
        raw = urlsafe_b64decode(text.encode())
        parts = [raw[at : at + LONGEST] for at in range(0, len(raw), LONGEST)]
        return selection(kind, (Pick(UUID(bytes=p[:16]), int.from_bytes(p[16:], "big")) for p in parts))
    except ValueError:
        raise unreadable() from None


def picked(kind: ActionKind, texts: Iterable[str]) -> Selection:
    """Raises Refused."""
    try:
        parts = [text.split("~") for text in texts]
        return selection(kind, (Pick(UUID(id), int(version)) for id, version in parts))
    except ValueError:
        raise unreadable() from None


def selection(kind: ActionKind, picks: Iterable[Pick]) -> Selection:
    """Each saga once. Raises Refused for none or too many, ValueError for versions that cannot be."""
    by_id = {pick.id: pick for pick in picks}
    found = list(by_id.values())
    if not found:
        raise refused("Nothing was picked", "Pick sagas in the list first.")
    if len(found) > MOST:
        raise refused("That is too many at once", f"Pick at most {MOST}.")
    if any(not 0 < pick.version < LAST for pick in found):
        raise ValueError("there is no such version")
    return Selection(kind, found)


def kind_of(name: str) -> ActionKind:
    """Raises Refused."""
    try:
        return ActionKind(name.upper())
    except ValueError:
        known = ", ".join(kind.lower() for kind in ActionKind)
        raise refused(f"There is no action {name[:80]}", f"There are {known}.") from None


def unreadable() -> Refused:
    return refused("This selection cannot be read", "Pick them anew.")


def refused(title: str, text: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, title, text, back="/sagas", on="To the sagas")
