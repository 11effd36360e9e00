"""Payments, one or a list."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import strawberry
from strawberry import UNSET

from projections.payments.projector import payments as projector
from projections.payments.queries import PAYMENTS
from read_api.access import SignedIn, root
from read_api.connection import ORDERED, WHICH, Connection, Owner, connection
from read_api.context import Asked, Context
from read_api.filters import conditions, own
from read_api.history import AsOf, Kind, When, row_of
from read_api.paging import Paged, Paging
from read_api.payments.nodes import Payment, payment
from read_api.payments.where import PaymentsOrderBy, PaymentsWhere
from read_api.scalars import Id, uuid_of

PAYMENT: Final = Kind("payments", projector, PAYMENTS)


@strawberry.type
class PaymentsQuery:
    @root(SignedIn, "One payment. Null if there is none that you may see.")
    async def payment(self, info: Asked, id: Id, as_of: When = UNSET) -> Payment | None:
        return await payment_by_id(info.context, uuid_of(id), as_of or None)

    @root(SignedIn, "Your payments; for staff, everybody's.", Paged())
    async def payments(
        self,
        info: Asked,
        paging: Paging,
        where: Annotated[PaymentsWhere | None, WHICH] = UNSET,
        order_by: Annotated[PaymentsOrderBy, ORDERED] = PaymentsOrderBy.CREATED_AT_DESC,
    ) -> Connection[Payment]:
        context = info.context
        return await connection(context, PAYMENTS, [*own(context.actor), *conditions(where)], order_by, paging, payment)


async def payments_of(
    context: Context, customer: UUID, where: PaymentsWhere | None, paging: Paging
) -> Connection[Payment]:
    """Of a customer that the actor may see, newest first."""
    newest, owner = PaymentsOrderBy.CREATED_AT_DESC, Owner("customer_id", customer)
    return await connection(context, PAYMENTS, list(conditions(where)), newest, paging, payment, owner)


async def payment_by_id(context: Context, id: UUID | None, as_of: AsOf | None = None) -> Payment | None:
    actor = context.actor
    row = await row_of(context, PAYMENT, id, lambda row: actor.may_touch(row.customer_id), as_of)
    return payment(row, actor) if row else None
