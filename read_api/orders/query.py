"""Orders, one or a list."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import strawberry
from strawberry import UNSET

from projections.orders.projector import orders as projector
from projections.orders.queries import ORDERS
from read_api.access import SignedIn, root
from read_api.connection import ORDERED, WHICH, Connection, Owner, connection
from read_api.context import Asked, Context
from read_api.filters import conditions, own
from read_api.history import AsOf, Kind, When, row_of
from read_api.orders.nodes import Order, order
from read_api.orders.where import OrdersOrderBy, OrdersWhere
from read_api.paging import Paged, Paging
from read_api.scalars import Id, uuid_of

ORDER: Final = Kind("orders", projector, ORDERS)


@strawberry.type
class OrdersQuery:
    @root(SignedIn, "One order. Null if there is none that you may see.")
    async def order(self, info: Asked, id: Id, as_of: When = UNSET) -> Order | None:
        return await order_by_id(info.context, uuid_of(id), as_of or None)

    @root(SignedIn, "Your orders; for staff, everybody's.", Paged())
    async def orders(
        self,
        info: Asked,
        paging: Paging,
        where: Annotated[OrdersWhere | None, WHICH] = UNSET,
        order_by: Annotated[OrdersOrderBy, ORDERED] = OrdersOrderBy.CREATED_AT_DESC,
    ) -> Connection[Order]:
        context = info.context
        return await connection(context, ORDERS, [*own(context.actor), *conditions(where)], order_by, paging, order)


async def orders_of(context: Context, customer: UUID, where: OrdersWhere | None, paging: Paging) -> Connection[Order]:
    """Of a customer that the actor may see, newest first."""
    newest, owner = OrdersOrderBy.CREATED_AT_DESC, Owner("customer_id", customer)
    return await connection(context, ORDERS, list(conditions(where)), newest, paging, order, owner)


async def order_by_id(context: Context, id: UUID | None, as_of: AsOf | None = None) -> Order | None:
    actor = context.actor
    row = await row_of(context, ORDER, id, lambda row: actor.may_touch(row.customer_id), as_of)
    return order(row, actor) if row else None
