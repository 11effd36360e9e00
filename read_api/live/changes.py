"""Subscriptions: how things are now, and then each change of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Hashable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.errors import InvalidValue, NotFound
from domain.ids import OrderId, payment_of
from projections.listing import Condition
from projections.orders.queries import ORDERS
from projections.payments.queries import PAYMENTS
from projections.products.queries import PRODUCTS, STOCK
from projections.sagas.queries import SAGAS
from read_api.access import Public, SignedIn, Staff, stream
from read_api.context import Asked, Context
from read_api.filters import as_uuid, conditions
from read_api.live.marks import mark, seen_of
from read_api.live.sources import Lists, Matches, Source, Things
from read_api.orders.nodes import Order, order
from read_api.orders.query import order_by_id
from read_api.paging import MAX_PAGE
from read_api.payments.nodes import Payment, payment
from read_api.products.nodes import may_see
from read_api.products.parts import Stock, stock
from read_api.sagas.nodes import Saga, saga
from read_api.sagas.where import SagasWhere
from read_api.scalars import Id, uuid_of

ONE_ORDER: Final = Things(ORDERS)
ORDERS_OF: Final = Lists(ORDERS, "customer_id", "created_at")
ONE_PAYMENT: Final = Things(PAYMENTS)
STOCKS: Final = Things(STOCK)
SOME_SAGAS: Final = Matches(SAGAS, "started_at")

UNSEEN: Final = timedelta(minutes=5)
"""Something may get into the rows so long after it has happened, and then it counts as changed since."""
CHECK: Final = 1.0  # seconds between two looks at whether somebody may still listen

After = Annotated[
    str | None,
    strawberry.argument(
        description="The `cursor` of the last change you saw, to go on from there. SSE's Last-Event-ID says the same."
    ),
]
CURSOR: Final = "Give it as `after` to go on from here."


@strawberry.type(description="An order as it has become.")
class OrderChange:
    cursor: str = strawberry.field(description=CURSOR)
    order: Order = strawberry.field(description="The order.")


@strawberry.type(description="A payment as it has become.")
class PaymentChange:
    cursor: str = strawberry.field(description=CURSOR)
    payment: Payment = strawberry.field(description="The payment.")


@strawberry.type(description="The stock of a variant as it has become.")
class StockChange:
    cursor: str = strawberry.field(description=CURSOR)
    variant_id: strawberry.ID = strawberry.field(description="The variant.")
    stock: Stock = strawberry.field(description="Its stock.")


@strawberry.type(description="A saga as it has become.")
class SagaChange:
    cursor: str = strawberry.field(description=CURSOR)
    saga: Saga = strawberry.field(description="The saga.")


@strawberry.type
class Subscription:
    @stream(SignedIn, "An order as it is, and again whenever it changes.")
    async def order_changed(self, info: Asked, id: Id, after: After = UNSET) -> AsyncGenerator[OrderChange, None]:
        context = info.context
        if await order_by_id(context, uuid_of(id)) is None:
            raise NotFound("order", id)
        async for cursor, row in changes(context, ONE_ORDER, [UUID(id)], after):
            yield OrderChange(cursor=cursor, order=order(row, context.actor))

    @stream(
        SignedIn,
        "The newest 100 orders of a customer as they are, and then every order of theirs whenever it changes or is "
        "new. Of more than 1,000 orders the newest are followed.",
    )
    async def orders_changed(
        self,
        info: Asked,
        customer_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Whose; yours, if you leave it out.")
        ] = UNSET,
        after: After = UNSET,
    ) -> AsyncGenerator[OrderChange, None]:
        context = info.context
        whose = uuid_of(customer_id) if customer_id else context.actor.id
        if whose is None or not context.actor.may_touch(whose):
            raise NotFound("user", customer_id or "(yourself)")
        async for cursor, row in changes(context, ORDERS_OF, [whose], after):
            yield OrderChange(cursor=cursor, order=order(row, context.actor))

    @stream(SignedIn, "The payment of an order as soon as there is one, and again whenever it changes.")
    async def payment_changed(
        self,
        info: Asked,
        order_id: Annotated[strawberry.ID, strawberry.argument(description="The order that is paid.")],
        after: After = UNSET,
    ) -> AsyncGenerator[PaymentChange, None]:
        context = info.context
        if await order_by_id(context, uuid_of(order_id)) is None:
            raise NotFound("order", order_id)
        async for cursor, row in changes(context, ONE_PAYMENT, [payment_of(OrderId(UUID(order_id)))], after):
            yield PaymentChange(cursor=cursor, payment=payment(row, context.actor))

    @stream(Public, "The stock of variants as it is, and each again whenever it changes.")
    async def stock_changed(
        self,
        info: Asked,
        variant_ids: Annotated[list[strawberry.ID], strawberry.argument(description="Which ones, 100 at most.")],
        after: After = UNSET,
    ) -> AsyncGenerator[StockChange, None]:
        context = info.context
        async for cursor, row in changes(context, STOCKS, await seen_variants(context, variant_ids), after):
            variant = strawberry.ID(str(row.id))
            yield StockChange(cursor=cursor, variant_id=variant, stock=stock(row, context.actor))

    @stream(
        Staff,
        "The newest 100 sagas for which the conditions hold as they are, and then every one whenever it changes or is "
        "new, and once more when they do not hold for it any longer. Of more than 1,000 the newest are followed: "
        "narrow the conditions down to follow older ones.",
    )
    async def sagas_changed(
        self,
        info: Asked,
        where: Annotated[SagasWhere | None, strawberry.argument(description="Which ones.")] = UNSET,
        after: After = UNSET,
    ) -> AsyncGenerator[SagaChange, None]:
        async for cursor, row in changes(info.context, SOME_SAGAS, [tuple(followed(where))], after):
            yield SagaChange(cursor=cursor, saga=saga(row))


def followed(where: SagasWhere | None) -> Iterable[Condition]:
    """Conditions that can be compared, so that who asks for the same shares a look. Raises InvalidFilter."""
    for each in conditions(where):
        yield Condition(each.column, each.operator, tuple(each.value)) if isinstance(each.value, list) else each


async def seen_variants(context: Context, ids: list[strawberry.ID]) -> list[UUID]:
    """Raises InvalidValue, InvalidFilter, NotFound."""
    if not 1 <= len(ids) <= MAX_PAGE:
        raise InvalidValue(f"variantIds has {len(ids)} ids, 1 to {MAX_PAGE} are allowed", path="variantIds")
    variants = [as_uuid(id, "variantIds") for id in ids]
    rows = await STOCK.many(context.pool, variants)
    products = await PRODUCTS.many(context.pool, {row.product_id for row in rows.values()})
    for id in variants:
        product = products.get(rows[id].product_id) if id in rows else None
        if product is None or not may_see(product, context.actor):
            raise NotFound("variant", id)
    return variants


async def changes(
    context: Context, source: Source, keys: Iterable[Hashable], after: str | None
) -> AsyncGenerator[tuple[str, Any], None]:
    """Rows with their cursors, until the stream ends or whoever listens may not any longer.

    Who has used up what they may ask for waits, and is then told how things are: they may have changed meanwhile.

    Raises TooManyStreams, InvalidCursor and why somebody is not recognised any more.
    """
    listening, begun = context.listening, context.begun
    assert listening, "subscriptions come over connections that are listened to"
    assert begun, "and are counted as they begin"
    resumed = after or listening.resume
    seen, at = seen_of(resumed) if resumed else ({}, None)
    since = at - UNSEEN if at else None
    async with listening.live.following(source, keys, seen, listening.principal, since) as follower:
        while not follower.ended:
            news = await follower.news(CHECK)
            listening.still_good()
            if not news:
                continue
            if wait := await begun.meter.due():
                await follower.rest(min(wait, CHECK))
                continue
            row = follower.take()
            begun.meter.answered()
            context.begin_anew()
            listening.cursor = mark(follower.told, datetime.now(UTC))
            yield listening.cursor, row
