"""Claims: a value that may be taken only once (an e-mail, a SKU) is a small aggregate of its own.

Its id is a keyed hash of the value, so nothing of the value can be read from it; its holder keeps that id. Claims are
taken and released in the append that needs them. Each context has event classes of its own, with these fields.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from uuid import UUID

from domain.event import Event
from domain.ids import ClaimId


class ClaimStatus(Enum):
    TAKEN = "taken"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Claim:
    """`holder` is who took it last; whether it still is theirs, `status` says."""

    id: ClaimId
    version: int
    status: ClaimStatus
    holder: UUID

    def held_by_other(self, holder: UUID) -> bool:
        return self.status is ClaimStatus.TAKEN and self.holder != holder


class ClaimEvent(Event):
    """Every event of a claim, of whatever context: `{ClaimEvent: claim.evolve}` in its table of folds."""


class Taken(ClaimEvent):
    """Base of the events by which a context's claim is taken."""

    holder: UUID


class Freed(ClaimEvent):
    """Base of the events by which a context's claim is given back."""


def evolve(claim: Claim | None, event: ClaimEvent) -> Claim:
    if isinstance(event, Taken):
        return Claim(ClaimId(event.originator_id), event.originator_version, ClaimStatus.TAKEN, event.holder)
    assert claim is not None
    return replace(claim, version=event.originator_version, status=ClaimStatus.FREE)
