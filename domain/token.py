"""Consistency tokens: which events a reader must have seen, so that everybody can read what they wrote."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, Field, RootModel, ValidationError
from pydantic_core import to_json

from domain.errors import DomainError, Kind
from domain.ids import SLICES

MAX_LENGTH: Final = 16_384  # every slice of every context at its last position is shorter


class InvalidToken(DomainError):
    code = "INVALID_CONSISTENCY_TOKEN"
    title = "The consistency token cannot be read"
    kind = Kind.INVALID

    def __init__(self) -> None:
        super().__init__("Consistency-Token must be a consistencyToken as a command's answer gave it")


@dataclass(frozen=True, slots=True)
class Seen:
    """What must have been seen of one context: a position in each of some slices of this incarnation of its log."""

    incarnation: UUID
    positions: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class ConsistencyToken:
    """What must have been seen, by context. As text it is opaque to clients; it holds positions only."""

    contexts: Mapping[str, Seen]

    @classmethod
    def of(cls, context: str, incarnation: UUID, positions: Iterable[tuple[int, int]]) -> ConsistencyToken:
        """The token of one command's outcome: (slice, position) of its events in the context's log."""
        return cls({context: Seen(incarnation, dict(positions))})

    @classmethod
    def parse(cls, text: str) -> ConsistencyToken:
        """Raises InvalidToken."""
        if len(text) > MAX_LENGTH:
            raise InvalidToken
        try:
            contexts = _Body.model_validate_json(urlsafe_b64decode(text + "=" * (-len(text) % 4))).root
        except (ValidationError, ValueError):
            raise InvalidToken from None
        return cls({name: Seen(c.i, c.s) for name, c in contexts.items()})

    def __str__(self) -> str:
        body = {name: {"i": seen.incarnation, "s": dict(seen.positions)} for name, seen in self.contexts.items()}
        return urlsafe_b64encode(to_json(body)).rstrip(b"=").decode()


class _Context(BaseModel, extra="forbid"):
    i: UUID
    s: dict[Annotated[int, Field(ge=0, lt=SLICES)], Annotated[int, Field(ge=0, lt=2**63)]]


class _Body(RootModel[dict[Annotated[str, Field(max_length=32)], _Context]]):
    pass
