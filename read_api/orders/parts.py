"""What an order is made of: lines, shipments, returns, and what changed it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import strawberry

from domain.actor import Actor
from domain.money import MAX_AMOUNT
from projections.orders.row import EntryRow, LineRow, OrderRow, PortionRow, ReturnRow, ShipmentRow
from projections.products.queries import PRODUCTS
from read_api.access import computed
from read_api.actor_kind import ActorKind, kind_of
from read_api.context import Asked
from read_api.orders.enums import OrderClosedReason, Status
from read_api.products.nodes import Product, Variant, may_see, product
from read_api.scalars import Money, id_of, money


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
        return product(row, info.context.actor) if row and may_see(row, info.context.actor) else None

    @computed("The variant as it is now, with its price and stock. Null as its product is, and when it was removed.")
    async def variant(self, info: Asked) -> Variant | None:
        of = await self.product(info)
        return next((each for each in of.variants if each.id == self.variant_id), None) if of else None


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


def line(row: LineRow, currency: str) -> OrderLine:
    return OrderLine(
        number=row.number,
        product_id=id_of(row.product_id),
        variant_id=id_of(row.variant_id),
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
        id=id_of(row.id),
        lines=portions(row.lines),
        carrier=row.carrier,
        tracking=row.tracking,
        shipped_at=row.shipped_at,
        delivered_at=row.delivered_at,
    )


def goods_back(row: ReturnRow, currency: str) -> Return:
    return Return(
        id=id_of(row.id),
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
