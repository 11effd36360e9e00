"""One saga as its stream tells it: how it stands, its balance, and all that happened to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from uuid import UUID

from domain.errors import NotFound
from domain.ids import OrderId, cancellation_of, checkout_of, payment_of
from domain.sagas import balance as balances
from domain.sagas.balance import Balance
from domain.sagas.events import CommandDispatched
from domain.sagas.saga import Saga, evolve
from projections.feed import Recorded
from sagas.definition import Definition
from sagas.processes import PROCESSES


@dataclass(frozen=True, slots=True)
class Story:
    saga: Saga
    balance: Balance
    recorded: Sequence[Recorded]

    @property
    def definition(self) -> Definition:
        return PROCESSES[self.saga.process].definitions[self.saga.definition]


class SagaLog(Protocol):
    async def stream(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> list[Recorded]: ...


async def read(log: SagaLog, id: UUID) -> Story:
    """Of a saga, or, with an order's id, of the one that worked it last. Raises NotFound."""
    return story_of(await recorded(log, id))


async def recorded(log: SagaLog, id: UUID) -> Sequence[Recorded]:
    """The same as it stands in the log: it may hold what this release cannot read. Raises NotFound."""
    for each in candidates(id):
        if found := await log.stream(each):
            return found
    raise NotFound("saga", id)


def candidates(id: UUID) -> Iterator[UUID]:
    """The sagas that an id may stand for."""
    payment = payment_of(OrderId(id))
    yield from (id, cancellation_of(payment), checkout_of(payment))


def story_of(recorded: Sequence[Recorded]) -> Story:
    return continued(None, recorded)


def continued(story: Story | None, more: Sequence[Recorded]) -> Story:
    """The story after these events."""
    saga = story.saga if story else None
    balance = story.balance if story else Balance()
    for each in more:
        event: Any = each.event
        balance = balance if saga is None else balances.evolve(balance, event, saga.inbox)
        saga = evolve(saga, event)
    assert saga is not None
    return Story(saga, balance, [*story.recorded, *more] if story else more)


def line(recorded: Recorded) -> dict[str, Any]:
    event = recorded.event
    fields = event.model_dump(mode="json", exclude={"originator_id", "originator_version", "timestamp", "reason"})
    shown = f"POST {event.path}" if isinstance(event, CommandDispatched) else ""
    return {
        "version": event.originator_version,
        "at": event.timestamp.isoformat()[:23],
        "what": event.TOPIC.partition(".")[2],
        "said": shown or ", ".join(f"{name} {value}" for name, value in fields.items() if value not in (None, {}, [])),
    }


def of(balance: Balance) -> dict[str, Any]:
    values = asdict(balance)
    for hidden in ("pending", "units"):
        del values[hidden]
    return values | {"money": balance.money, "goods": balance.goods}
