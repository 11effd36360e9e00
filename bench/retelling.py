"""Stories told again: of another order at another time, with other ids for all that is its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from bench.stories import Story, Told
from domain.event import event_class
from domain.ids import OrderId, cancellation_of, checkout_of, new_id, payment_of
from infra.event_log.mapper import EventMapper, owner_of

FOUND: Final = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    rb"|20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
)
"""Ids and times in a stored state."""
ATTEMPT: Final = re.compile(rb'"attempt":\d+')
CLOSE: Final = timedelta(minutes=1)
"""What lies so close to the beginning is stretched; what comes later was set, and keeps its distance."""


@dataclass
class Retelling:
    """`shared` are ids that stay what they are: people and goods."""

    story: Story
    order: OrderId
    begins: datetime
    stretch: float
    shared: Collection[UUID]
    mapper: EventMapper
    _ids: dict[bytes, bytes] = field(default_factory=dict)
    _requests: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._began = self.story.events[0].recorded_at
        for of in (lambda order: order, payment_of, checkout, cancellation):
            self._ids[written(of(self.story.order))] = written(of(self.order))
        self._ids |= {written(id): written(id) for id in self.shared}

    def told(self, events: Sequence[Told] | None = None) -> Iterator[Told]:
        for each in self.story.events if events is None else events:
            yield each._replace(
                id=self.id(each.id),
                state=self._sealed(each) if owner_of(each.state) else FOUND.sub(self._other, each.state),
                event_id=self.id(each.event_id),
                recorded_at=self.moved(each.recorded_at),
                correlation_id=self._requests.setdefault(each.correlation_id, uuid4().hex),
                causation_id=self.id(each.causation_id) if each.causation_id else None,
            )

    def again(self, events: Sequence[Told], times: int, every: timedelta) -> Iterator[Told]:
        """What its saga went through, told so many times more: nothing of it was known before."""
        kept, version = dict(self._ids), events[0].version - 1
        for number in range(1, times + 1):
            self._ids, self._requests = dict(kept), {}
            for each in self.told(events):
                own = each.id == self.id(self.story.saga)
                version += own
                state = ATTEMPT.sub(b'"attempt":%d' % (number + 2), each.state)
                yield each._replace(version=version if own else each.version, state=state)
            self.begins += every

    def id(self, id: UUID) -> UUID:
        return UUID(self._of(written(id)).decode())

    def moved(self, at: datetime) -> datetime:
        since = at - self._began
        return self.begins + (since * self.stretch if since < CLOSE else since)

    def _of(self, id: bytes) -> bytes:
        found = self._ids.get(id)
        if found is None:
            self._ids[id] = found = written(new_id())
        return found

    def _other(self, match: re.Match[bytes]) -> bytes:
        text = match.group()
        if text.endswith(b"Z"):
            return self.moved(datetime.fromisoformat(text.decode())).astimezone(UTC).isoformat()[:26].encode() + b"Z"
        return self._of(text)

    def _sealed(self, told: Told) -> bytes:
        """What is personal is bound to its place, so it is opened and sealed anew."""
        event = self.mapper.decode(told.id, told.version, told.topic, told.state)
        other = FOUND.sub(self._other, event.model_dump_json().encode())
        return self.mapper.encode(event_class(told.topic).model_validate_json(other))


def checkout(order: OrderId) -> UUID:
    return checkout_of(payment_of(order))


def cancellation(order: OrderId) -> UUID:
    return cancellation_of(payment_of(order))


def written(id: UUID) -> bytes:
    return str(id).encode()
