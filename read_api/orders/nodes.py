"""An order, and what hangs on it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain.actor import Actor
from projections.notifications.queries import notifications_about
from projections.orders.row import OrderRow
from projections.payments.queries import payments_of
from projections.sagas.queries import sagas_of
from projections.users.queries import USERS
from read_api.access import computed
from read_api.actions import orders as actions
from read_api.actions.judging import AvailableAction, judged
from read_api.context import Asked
from read_api.node import Node
from read_api.notifications.nodes import Notification, notification, visible
from read_api.orders.enums import Status
from read_api.orders.parts import OrderLine, Return, Shipment, TimelineEntry, entry, goods_back, line, shipment
from read_api.payments.enums import ChargeStatus, PaymentMethod
from read_api.payments.nodes import Payment, payment
from read_api.scalars import Address, Money, address, id_of, money
from read_api.users.nodes import User, user

if TYPE_CHECKING:
    from read_api.sagas.nodes import Saga


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
    async def saga(self, info: Asked) -> Annotated[Saga, strawberry.lazy("read_api.sagas.nodes")] | None:
        found = await self.sagas(info)
        return next((saga for saga in found if saga.id == str(self.row.saga_id)), found[-1] if found else None)

    @computed("All sagas that worked it, the first first; for staff only, others see none.")
    async def sagas(self, info: Asked) -> list[Annotated[Saga, strawberry.lazy("read_api.sagas.nodes")]]:
        from read_api.sagas.nodes import saga

        if not info.context.actor.in_charge:
            return []
        return [saga(row) for row in await info.context.loader(sagas_of).load(UUID(self.id))]

    @computed("What was told about it, the newest 100, oldest first; to customers what they were told themselves.")
    async def notifications(self, info: Asked) -> list[Notification]:
        actor = info.context.actor
        rows = await info.context.loader(notifications_about).load(UUID(self.id))
        return [notification(row, actor) for row in rows if visible(row, actor)]


def order(row: OrderRow, actor: Actor) -> Order:
    """The order as `actor` may see it."""
    return Order(
        id=id_of(row.id),
        version=row.version,
        updated_at=row.updated_at,
        status=row.status,
        customer_id=id_of(row.customer_id),
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
