"""What could be done to something now, and why not: by asking the very decisions that the command API asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

import strawberry

from domain.access import Unauthenticated
from domain.actor import Actor
from domain.errors import DomainError, Forbidden
from read_api.context import Permit

S = TypeVar("S")

NOTHING_TO_DO: Final = "nothing would happen: it is so already"


@dataclass(frozen=True, slots=True)
class Way(Generic[S]):
    """Something to be done by a POST to `path`. `decide` raises its refusals, and gives nothing where nothing happens.

    What a client would have to say in the body is made up, so that only how things stand can be refused.
    """

    path: str
    decide: Callable[[S, Actor, datetime], Any]
    called: str = ""

    @property
    def name(self) -> str:
        """The verb of its path, unless it is called something else."""
        return self.called or self.path.rpartition("/")[2]


@strawberry.type(description="Something that can be done by a command, or why it cannot be done now.")
class AvailableAction:
    name: str = strawberry.field(description="What it is called in the command API: `cancel`, for example.")
    path: str = strawberry.field(description="Where to POST it, such as `/v1/orders/…/cancel`.")
    available: bool = strawberry.field(description="Whether it would be taken, as things stood at this version.")
    code: str | None = strawberry.field(description="The code of the refusal it would meet; null if there is none.")
    reason: str | None = strawberry.field(description="Why it is not available, in words.")


def judged(ways: Sequence[Way[S]], state: S, id: strawberry.ID, actor: Actor, permit: Permit) -> list[AvailableAction]:
    """All ways there are for the actor. What their role is never let do is shown to people of the shop only."""
    at = datetime.now(UTC)
    found = []
    for way in ways:
        refusal = refusal_of(way, state, actor, permit, at)
        if isinstance(refusal, Forbidden | Unauthenticated) and not actor.in_charge:
            continue
        found.append(shown(way, id, refusal))
    return found


def refusal_of(way: Way[S], state: S, actor: Actor, permit: Permit, at: datetime) -> DomainError | str | None:
    """Why not; None if it would be taken."""
    try:
        permit(actor, way.path)
        return None if way.decide(state, actor, at) else NOTHING_TO_DO
    except DomainError as refusal:
        return refusal


def shown(way: Way[S], id: strawberry.ID, refusal: DomainError | str | None) -> AvailableAction:
    code, reason = (refusal.code, refusal.detail) if isinstance(refusal, DomainError) else (None, refusal)
    path = way.path.replace("{id}", id)
    return AvailableAction(name=way.name, path=path, available=refusal is None, code=code, reason=reason)
