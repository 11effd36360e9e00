"""Orders in the graph."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.actor import Actor
from domain.money import MAX_AMOUNT
from domain.orders.order import Status
from domain.payments.payment import ChargeStatus
from domain.value import PaymentMethod
from projections.listing import Condition, Ordering
from projections.notifications.queries import notifications_about
from projections.orders.projector import ORDERS as MODEL
from projections.orders.projector import orders as projector
from projections.orders.queries import ORDERS
from projections.orders.row import EntryRow, LineRow, OrderRow, PortionRow, ReturnRow, ShipmentRow
from projections.payments.queries import payments_of
from projections.products.queries import PRODUCTS
from projections.sagas.queries import sagas_of
from projections.users.queries import USERS
from read_api.access import SignedIn, computed, root
from read_api.actions import orders as actions
from read_api.actions.judging import AvailableAction, judged
from read_api.actor_kind import ActorKind, kind_of
from read_api.connection import (
    ORDERED,
    WHICH,
    After,
    Before,
    Connection,
    First,
    Last,
    Owner,
    Paging,
    connection,
    paging,
)
from read_api.context import Asked, Context
from read_api.described import described
from read_api.filters import DateTimeFilter, IdFilter, conditions
from read_api.history import AsOf, Kind, When, row_of
from read_api.node import Node
from read_api.notifications import Notification, notification, visible
from read_api.payments import Payment, payment
from read_api.products import Product, may_see, product
from read_api.scalars import Address, Id, Money, address, money, uuid_of
from read_api.users import User, user

if TYPE_CHECKING:
    from read_api.sagas import Saga

ORDER: Final = Kind("orders", MODEL, projector, ORDERS)

described(
    Status,
    "Where an order is in its life.",
    name="OrderStatus",
    DRAFT="A cart.",
    PLACED="Ordered; goods and money are being seen to.",
    CONFIRMED="Goods and money are there.",
    PARTIALLY_SHIPPED="A part was sent.",
    SHIPPED="All was sent.",
    DELIVERED="All has arrived.",
    RETURNED="All came back.",
    REJECTED="The shop could not take it.",
    EXPIRED="It was not paid in time.",
    CANCEL_PENDING="It is being cancelled: money and goods are put back.",
    CANCELLED="It is cancelled.",
)


class OrderClosedReason(Enum):
    CUSTOMER = "CUSTOMER"
    STAFF = "STAFF"
    SYSTEM = "SYSTEM"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    PAYMENT_DECLINED = "PAYMENT_DECLINED"
    REFUSED_BY_SHOP = "REFUSED_BY_SHOP"


described(
    OrderClosedReason,
    "Why an order was cancelled or rejected.",
    CUSTOMER="The customer wished so.",
    STAFF="Somebody of the shop wished so.",
    SYSTEM="It could not go on by itself.",
    OUT_OF_STOCK="There were not enough goods.",
    PAYMENT_DECLINED="It could not be paid.",
    REFUSED_BY_SHOP="The shop did not want it.",
)


@strawberry.type(description="A variant as it was bought, or, in a draft, as it is wanted.")
class OrderLine:
    number: int = strawberry.field(description="Its number within the order.")
    product_id: strawberry.ID = strawberry.field(description="The product it is a form of.")
    variant_id: strawberry.ID = strawberry.field(description="What is bought.")
    sku: str = strawberry.field(description="The shop's own code for it.")
    name: str = strawberry.field(description="What it was called when it was ordered.")
    unit_price: Money = strawberry.field(description="What one of it costs.")
    total: Money = strawberry.field(description="Unit price times quantity.")
    quantity: int = strawberry.field(description="How many.")
    shipped: int = strawberry.field(description="How many were sent.")
    delivered: int = strawberry.field(description="How many arrived.")
    returned: int = strawberry.field(description="How many came back.")

    @computed("The product as it is now. Null if it is not sold any more, except to staff.")
    async def product(self, info: Asked) -> Product | None:
        row = await info.context.loader(PRODUCTS.each).load(UUID(self.product_id))
        return product(row) if row and may_see(row, info.context.actor) else None


@strawberry.type(description="So many of the line with this number.")
class Portion:
    line: int = strawberry.field(description="The line's number.")
    quantity: int = strawberry.field(description="How many of it.")


@strawberry.type(description="A parcel that left the house.")
class Shipment:
    id: strawberry.ID = strawberry.field(description="Its id.")
    lines: list[Portion] = strawberry.field(description="What is in it.")
    carrier: str = strawberry.field(description="Who carries it.")
    tracking: str | None = strawberry.field(description="What the carrier knows it by.")
    shipped_at: datetime = strawberry.field(description="When it left.")
    delivered_at: datetime | None = strawberry.field(description="When it arrived. Null while it is on its way.")


@strawberry.type(description="Goods that came back.")
class Return:
    id: strawberry.ID = strawberry.field(description="Its id.")
    lines: list[Portion] = strawberry.field(description="What came back.")
    refund: Money = strawberry.field(description="What is owed for them.")
    returned_at: datetime = strawberry.field(description="When.")


@strawberry.type(description="One change of an order.")
class TimelineEntry:
    version: int = strawberry.field(description="The order's version after it.")
    at: datetime = strawberry.field(description="When.")
    event: str = strawberry.field(description="The event type, such as `orders.order-placed`.")
    by: ActorKind = strawberry.field(description="Who did it.")
    actor: str | None = strawberry.field(description="Who exactly, as recorded; for staff only.")
    status: Status = strawberry.field(description="The order's status after it.")
    reason: OrderClosedReason | None = strawberry.field(description="Why, where there has to be a reason.")
    note: str | None = strawberry.field(description="In somebody's own words; null when erased.")


@strawberry.type(description="A draft (cart) or an order.")
class Order(Node):
    version: int = strawberry.field(description="Counts its changes; the same number as in the command API's ETag.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    status: Status = strawberry.field(description="Where it is in its life.")
    customer_id: strawberry.ID = strawberry.field(description="Who orders.")
    lines: list[OrderLine] = strawberry.field(description="What is bought.")
    shipping: Money = strawberry.field(description="What sending it costs.")
    tax: Money = strawberry.field(description="The tax in it, or on it.")
    total: Money = strawberry.field(description="What it comes to.")
    payment_method: PaymentMethod | None = strawberry.field(description="Null in a draft.")
    address: Address | None = strawberry.field(description="Where it goes. Null in a draft, and when erased.")
    note: str | None = strawberry.field(description="What the customer wants to be heeded.")
    shipments: list[Shipment] = strawberry.field(description="What was sent, the first first.")
    returns: list[Return] = strawberry.field(description="What came back, the first first.")
    timeline: list[TimelineEntry] = strawberry.field(description="Every change, oldest first.")
    created_at: datetime = strawberry.field(description="When it was begun.")
    placed_at: datetime | None = strawberry.field(description="When it was ordered. Null in a draft.")
    closed_at: datetime | None = strawberry.field(description="Since when nothing more happens to it.")
    row: strawberry.Private[OrderRow]

    @computed("What can be done to it, and why the rest cannot be done now; to customers what is for them.")
    def available_actions(self, info: Asked) -> list[AvailableAction]:
        return judged(actions.WAYS, actions.order_of(self.row), self.id, info.context.actor, info.context.permit)

    @computed("Who ordered. Null until the read model of users has seen them.")
    async def customer(self, info: Asked) -> User | None:
        row = await info.context.loader(USERS.each).load(UUID(self.customer_id))
        return user(row, info.context.actor) if row else None

    @computed("The money of it. Null until there was something to pay: `chargeStatus` is NONE then.")
    async def payment(self, info: Asked) -> Payment | None:
        row = await info.context.loader(payments_of).load(UUID(self.id))
        return payment(row, info.context.actor) if row else None

    @computed("How far it is paid, as its payment says.")
    async def charge_status(self, info: Asked) -> ChargeStatus:
        row = await info.context.loader(payments_of).load(UUID(self.id))
        return row.status if row else ChargeStatus.NONE

    @computed("The saga that works it, else the one that did so last; for staff only.")
    async def saga(self, info: Asked) -> Annotated[Saga, strawberry.lazy("read_api.sagas")] | None:
        found = await self.sagas(info)
        return next((saga for saga in found if saga.id == str(self.row.saga_id)), found[-1] if found else None)

    @computed("All sagas that worked it, the first first; for staff only, others see none.")
    async def sagas(self, info: Asked) -> list[Annotated[Saga, strawberry.lazy("read_api.sagas")]]:
        from read_api.sagas import saga

        if not info.context.actor.in_charge:
            return []
        return [saga(row) for row in await info.context.loader(sagas_of).load(UUID(self.id))]

    @computed("What was told about it, the newest 100, oldest first; to customers what they were told themselves.")
    async def notifications(self, info: Asked) -> list[Notification]:
        actor = info.context.actor
        rows = await info.context.loader(notifications_about).load(UUID(self.id))
        return [notification(row, actor) for row in rows if visible(row, actor)]


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


@strawberry.type
class OrdersQuery:
    @root(SignedIn, "One order. Null if there is none that you may see.")
    async def order(self, info: Asked, id: Id, as_of: When = UNSET) -> Order | None:
        return await order_by_id(info.context, uuid_of(id), as_of or None)

    @root(SignedIn, "Your orders; for staff, everybody's.")
    async def orders(
        self,
        info: Asked,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        where: Annotated[OrdersWhere | None, WHICH] = UNSET,
        order_by: Annotated[OrdersOrderBy, ORDERED] = OrdersOrderBy.CREATED_AT_DESC,
    ) -> Connection[Order]:
        context = info.context
        allowed = [*own(context.actor), *conditions(where)]
        return await connection(
            context,
            ORDERS,
            allowed,
            order_by,
            paging(first, after, last, before),
            lambda row: order(row, context.actor),
        )


async def orders_of(context: Context, customer: UUID, where: OrdersWhere | None, paging: Paging) -> Connection[Order]:
    """Of a customer that the actor may see, newest first."""
    return await connection(
        context,
        ORDERS,
        list(conditions(where)),
        OrdersOrderBy.CREATED_AT_DESC,
        paging,
        lambda row: order(row, context.actor),
        Owner("customer_id", customer),
    )


async def order_by_id(context: Context, id: UUID | None, as_of: AsOf | None = None) -> Order | None:
    row = await row_of(context, ORDER, id, as_of)
    return order(row, context.actor) if row and context.actor.may_touch(row.customer_id) else None


def own(actor: Actor) -> list[Condition]:
    """What those who do not work here may see."""
    return [] if actor.in_charge else [Condition("customer_id", "eq", actor.id)]


def order(row: OrderRow, actor: Actor) -> Order:
    """The order as `actor` may see it."""
    return Order(
        id=strawberry.ID(str(row.id)),
        version=row.version,
        updated_at=row.updated_at,
        status=row.status,
        customer_id=strawberry.ID(str(row.customer_id)),
        lines=[line(each, row.currency) for each in row.lines],
        shipping=money(row.shipping, row.currency),
        tax=money(row.tax, row.currency),
        total=money(row.total, row.currency),
        payment_method=row.payment_method,
        address=address(row.address),
        note=row.note,
        shipments=[shipment(each) for each in row.shipments],
        returns=[goods_back(each, row.currency) for each in row.returns],
        timeline=[entry(each, row, actor) for each in row.timeline],
        created_at=row.created_at,
        placed_at=row.placed_at,
        closed_at=row.closed_at,
        row=row,
    )


def line(row: LineRow, currency: str) -> OrderLine:
    return OrderLine(
        number=row.number,
        product_id=strawberry.ID(str(row.product_id)),
        variant_id=strawberry.ID(str(row.variant_id)),
        sku=row.sku,
        name=row.name,
        unit_price=money(row.unit_price, currency),
        total=money(min(row.unit_price * row.quantity, MAX_AMOUNT), currency),
        quantity=row.quantity,
        shipped=row.shipped,
        delivered=row.delivered,
        returned=row.returned,
    )


def shipment(row: ShipmentRow) -> Shipment:
    return Shipment(
        id=strawberry.ID(str(row.id)),
        lines=portions(row.lines),
        carrier=row.carrier,
        tracking=row.tracking,
        shipped_at=row.shipped_at,
        delivered_at=row.delivered_at,
    )


def goods_back(row: ReturnRow, currency: str) -> Return:
    return Return(
        id=strawberry.ID(str(row.id)),
        lines=portions(row.lines),
        refund=money(row.refund, currency),
        returned_at=row.returned_at,
    )


def portions(rows: tuple[PortionRow, ...]) -> list[Portion]:
    return [Portion(line=row.line, quantity=row.quantity) for row in rows]


def entry(row: EntryRow, of: OrderRow, actor: Actor) -> TimelineEntry:
    return TimelineEntry(
        version=row.version,
        at=row.at,
        event=row.event,
        by=kind_of(row.actor, of.customer_id),
        actor=row.actor if actor.in_charge else None,
        status=row.status,
        reason=OrderClosedReason[row.reason.name] if row.reason else None,
        note=row.note,
    )
