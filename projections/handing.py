"""From who asks for work to a worker of the same process: rows that are leased from the moment they are added.

It saves a notification, a transaction that leases, and the way there and back. All other work goes as always, and so
does this if the process dies between the commit and the begin: the lease runs out, and another worker takes the row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.ids import new_id
from projections.todo import Asked, Room, Taker, Work


@dataclass(frozen=True, slots=True)
class Promise:
    """Work that a worker keeps room for, by id, as it will be leased. `until`: when it stops believing in the lease."""

    by: Taker
    works: Mapping[UUID, Work]
    until: float


class Hands(Protocol):
    """A worker of this process."""

    def promise(self, asked: Sequence[Asked]) -> Promise | None:
        """Keeps room, until `take`, for what of this it could begin at once. None when that is nothing."""
        ...

    async def take(self, promise: Promise, added: Collection[UUID]) -> None:
        """Begins those that were added, and no others."""
        ...


def promised(asked: Sequence[Asked], worker: str, seconds: float, until: float) -> Promise:
    lease = new_id()
    return Promise(Taker(lease, worker, seconds), {one.id: work(one, lease) for one in asked}, until)


def work(asked: Asked, lease: UUID) -> Work:
    """A row as it is when it is leased for the first time."""
    return Work(
        id=asked.id,
        kind=asked.kind,
        context=asked.context,
        subject=asked.subject,
        data=asked.data,
        attempt=1,
        tried_for=0.0,
        last_error=None,
        correlation_id=asked.correlation_id,
        causation_id=asked.causation_id,
        traceparent=asked.traceparent,
        lease=lease,
    )


def fitting(asked: Sequence[Asked], rooms: Sequence[Room], most: int) -> list[Asked]:
    """Of what is due at once, as much as there is room for: at most so many of all, and of each room's kinds."""
    left = [room.most for room in rooms]
    places = {kind: n for n, room in enumerate(rooms) for kind in room.kinds}
    found: list[Asked] = []
    for one in asked:
        place = places.get(one.kind)
        if one.due_at is None and place is not None and left[place] and len(found) < most:
            left[place] -= 1
            found.append(one)
    return found
