"""What happened to something, event by event, and what is different between two moments; to each what is for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry
from strawberry.scalars import JSON
from strawberry.types import has_object_definition
from strawberry.types.private import is_private

from domain.actor import Actor
from domain.errors import InvalidValue
from domain.event import Event, personal_fields
from domain.products.events import ProductActivated
from projections.feed import Recorded, Unreadable
from projections.history import Stream, difference, plain
from read_api.access import SignedIn, root
from read_api.actor_kind import ActorKind, kind_of
from read_api.context import Asked, Context
from read_api.filters import camel
from read_api.history import AsOf, Kind, require_readable
from read_api.node import Node
from read_api.orders.nodes import Order
from read_api.orders.query import ORDER, order_by_id
from read_api.paging import MAX_PAGE
from read_api.payments.nodes import Payment
from read_api.payments.query import PAYMENT, payment_by_id
from read_api.products.nodes import Product
from read_api.products.query import PRODUCT, product_by_id
from read_api.sagas.nodes import Saga
from read_api.sagas.query import SAGA, saga_by_id
from read_api.scalars import Id, Long, uuid_of
from read_api.telling import FOR_CUSTOMERS, facts_for_customers, said
from read_api.users.nodes import User
from read_api.users.query import USER, user_by_id

Tells = Callable[[Recorded], bool]
"""Whether somebody is told of an event."""

HIDDEN: Final = "(personal)"

NOT_COMPARED: Final = frozenset({"timeline"})
"""It is the history itself."""


@dataclass(frozen=True)
class Told:
    """How something is looked up, now or at a moment, as the actor may see it; and whose it is.

    `unseen` says of an event whether it happened before customers could see the thing.
    """

    kind: Kind[Any]
    by_id: Any
    owner: str | None = None
    unseen: Callable[[Any, Event], bool] = lambda *_: False


def before_it_was_sold(product: Product, event: Event) -> bool:
    """What has the very time of its first activation counts as of the draft: an import does all at once."""
    since = product.row.first_activated_at
    return not isinstance(event, ProductActivated) and (since is None or event.timestamp <= since)


TOLD: Final[dict[type[Node], Told]] = {
    Order: Told(ORDER, order_by_id, "customer_id"),
    Payment: Told(PAYMENT, payment_by_id, "customer_id"),
    User: Told(USER, user_by_id, "id"),
    Product: Told(PRODUCT, product_by_id, unseen=before_it_was_sold),
    Saga: Told(SAGA, saga_by_id),
}


@strawberry.type(description="Something that happened to something.")
class HistoryEvent:
    version: int = strawberry.field(description="The version it led to.")
    type: str = strawberry.field(description="The event type, such as `orders.order-placed`.")
    at: datetime = strawberry.field(description="When it happened.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    by: ActorKind = strawberry.field(description="Who did it.")
    actor: str | None = strawberry.field(description="Who exactly, as recorded; for staff only.")
    position: Long | None = strawberry.field(description="Its place in the log of its context; for staff only.")
    facts: JSON = strawberry.field(
        description="What it says. Customers see what is for them; of what is personal staff sees that it is there."
    )


@strawberry.type(description="A value that is not the same at two moments.")
class Difference:
    path: str = strawberry.field(description="Where it is, such as `lines.0.quantity`.")
    before: JSON | None = strawberry.field(description="What it was; null if it was not there.")
    after: JSON | None = strawberry.field(description="What it became; null if it is not there.")


Moment = Annotated[AsOf, strawberry.argument(description="A moment; `asOf` says the same of a single thing.")]


@strawberry.type
class StoryQuery:
    @root(
        SignedIn,
        "What happened to an order, payment, user, product or saga, oldest first. Customers are told what is for them: "
        "of the shop's own work nothing, of a product what happened since it was first sold. Null if you see none.",
    )
    async def history(
        self,
        info: Asked,
        id: Id,
        first: Annotated[int, strawberry.argument(description="So many, 1 to 100.")] = MAX_PAGE,
        after_version: Annotated[int, strawberry.argument(description="Only what came after this version.")] = 0,
    ) -> list[HistoryEvent] | None:
        if not 1 <= first <= MAX_PAGE:
            raise InvalidValue(f"first is {first}, 1 to {MAX_PAGE} are allowed", path="history.first")
        found = await told_of(info.context, uuid_of(id))
        if found is None:
            return None
        told, node = found
        actor, owner = info.context.actor, UUID(getattr(node, told.owner)) if told.owner else None
        tells = partial(is_for, actor, partial(told.unseen, node))
        events = told_from(info.context.log(told.kind.context), UUID(node.id), max(after_version, 0), tells)
        return [happened(each, actor, owner) async for each in first_of(events, first)]

    @root(SignedIn, "What is different between two moments, as far as you may see it. Null if you see none of it.")
    async def difference(self, info: Asked, id: Id, before: Moment, after: Moment) -> list[Difference] | None:
        found = await told_of(info.context, uuid_of(id))
        if found is None:
            return None
        told, node = found
        was, became = [await told.by_id(info.context, UUID(node.id), when) for when in (before, after)]
        changes = difference(shown(was) or {}, shown(became) or {})
        return [Difference(path=each.place, before=JSON(each.before), after=JSON(each.after)) for each in changes]


async def told_of(context: Context, id: UUID | None) -> tuple[Told, Node] | None:
    """What has this id, if it has a history that the actor may see."""
    for told in TOLD.values() if id else ():
        if node := await told.by_id(context, id):
            return told, node
    return None


async def told_from(log: Stream, id: UUID, after: int, tells: Tells) -> AsyncIterator[Recorded]:
    """What is told of one stream's events, oldest first: as much of it is read as is asked for."""
    while True:
        events = await log.stream(id, after, None, MAX_PAGE)
        for event in filter(tells, events):
            yield event
        if len(events) < MAX_PAGE:
            return
        after = events[-1].event.originator_version


async def first_of(events: AsyncIterator[Recorded], size: int) -> AsyncIterator[Recorded]:
    async for event in events:
        yield event
        if (size := size - 1) == 0:
            return


def is_for(actor: Actor, unseen: Callable[[Event], bool], recorded: Recorded) -> bool:
    """Whether the actor is told of the event."""
    event = recorded.event
    if actor.in_charge:
        return True
    if unseen(event):
        return False
    return isinstance(event, Unreadable) or type(event) in FOR_CUSTOMERS


def happened(recorded: Recorded, actor: Actor, owner: UUID | None) -> HistoryEvent:
    require_readable(recorded)
    event, staff = recorded.event, actor.in_charge
    return HistoryEvent(
        version=event.originator_version,
        type=event.TOPIC,
        at=event.timestamp,
        recorded_at=recorded.recorded_at,
        by=kind_of(recorded.actor, owner),
        actor=recorded.actor if staff else None,
        position=Long(recorded.position) if staff else None,
        facts=JSON(facts_for_staff(event) if staff else facts_for_customers(event)),
    )


def facts_for_staff(event: Event) -> dict[str, Any]:
    hidden = personal_fields(type(event))
    return {camel(n): HIDDEN if n in hidden and v is not None else v for n, v in said(event).items()}


def shown(value: Any) -> Any:
    """What of a thing is in its row and shown, as JSON with the graph's names."""
    if isinstance(value, list):
        return [shown(each) for each in value]
    if not has_object_definition(value):
        return plain(value)
    fields = (f for f in value.__strawberry_definition__.fields if f.base_resolver is None and not is_private(f.type))
    return {camel(f.name): shown(getattr(value, f.name)) for f in fields if f.name not in NOT_COMPARED}
