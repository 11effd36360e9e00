"""Which orders are listed, and in which order."""

from __future__ import annotations

from enum import Enum

import strawberry

from projections.listing import Ordering
from read_api.described import described
from read_api.filters import DateTimeFilter, IdFilter, OneOf, optional
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
class OrderStatusFilter(OneOf[Status]):
    pass


@strawberry.input(description="Conditions on orders; all that are given must hold.")
class OrdersWhere:
    status: OrderStatusFilter | None = optional("Where it is in its life.")
    customer_id: IdFilter | None = optional("Who orders.")
    created_at: DateTimeFilter | None = optional("When it was begun.")
