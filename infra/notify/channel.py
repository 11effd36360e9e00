"""The port to whatever takes a message away, and what may come of handing one over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Letter:
    """A notification in words. `to` is None where `user_id` is all that the channel needs, and the other way round.

    It is about a person: it is handed over and forgotten, and shows in no log line.
    """

    id: UUID
    user_id: UUID | None
    to: Addressee | None
    locale: str
    subject: str
    text: str
    html: str

    def __repr__(self) -> str:
        return f"Letter({self.id})"


@dataclass(frozen=True, slots=True)
class Addressee:
    """`name` is empty where there is none."""

    email: str
    name: str = ""

    def __repr__(self) -> str:
        return "Addressee(...)"


class Sender(Protocol):
    """One channel. It may be handed the same letter again, when it is not known whether it took it before."""

    async def send(self, letter: Letter) -> str:
        """What the letter is called there from now on. Raises Undeliverable; whatever else it raises is tried again."""
        ...


class Undeliverable(Exception):
    """It was refused for good. Neither code nor sentence says anything about a person."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


class Deferred(Exception):
    """Not now. The sentence is kept with the to-do row: it says nothing about a person."""
