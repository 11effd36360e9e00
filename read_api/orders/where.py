"""Which orders are listed, and in which order."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry import UNSET

from domain.actor import Actor
from projections.listing import Condition, Ordering
from read_api.described import described
from read_api.filters import DateTimeFilter, IdFilter
from read_api.orders.enums import Status


class OrdersOrderBy(Enum):
    CREATED_AT_ASC = Ordering("created_at")
    CREATED_AT_DESC = Ordering("created_at", descending=True)


described(
    OrdersOrderBy,
    "Orderings of orders.",
    CREATED_AT_ASC="The oldest first.",
    CREATED_AT_DESC="The newest first.",
)


@strawberry.input(description="Conditions on an order's status.")
class OrderStatusFilter:
    eq: Status | None = strawberry.field(default=UNSET, description="It is this one.")
    in_: list[Status] | None = strawberry.field(name="in", default=UNSET, description="It is one of these.")


@strawberry.input(description="Conditions on orders; all that are given must hold.")
class OrdersWhere:
    status: OrderStatusFilter | None = strawberry.field(default=UNSET, description="Where it is in its life.")
    customer_id: IdFilter | None = strawberry.field(default=UNSET, description="Who orders.")
    created_at: DateTimeFilter | None = strawberry.field(default=UNSET, description="When it was begun.")


def own(actor: Actor) -> list[Condition]:
    """What those who do not work here may see."""
    return [] if actor.in_charge else [Condition("customer_id", "eq", actor.id)]
