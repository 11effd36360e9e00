"""A payment, and what hangs on it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain.actor import Actor
from domain.payments.payment import Payment as State
from projections.orders.queries import ORDERS
from projections.payments.row import PaymentRow
from projections.users.queries import USERS
from read_api.access import computed
from read_api.actions import payments as actions
from read_api.actions.judging import AvailableAction, judged
from read_api.context import Asked
from read_api.node import Node
from read_api.payments.enums import (
    ChargeStatus,
    PaymentMethod,
)
from read_api.payments.parts import (
    LedgerEntry,
    NextAction,
    PaymentAttempt,
    PaymentPart,
    attempt,
    entry,
    next_action,
    part,
)
from read_api.scalars import Money, id_of, money

if TYPE_CHECKING:
    from read_api.orders.nodes import Order
    from read_api.users.nodes import User


@strawberry.type(description="The payment of an order: all attempts at it, and what they come to.")
class Payment(Node):
    version: int = strawberry.field(description="Counts its changes.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    order_id: strawberry.ID = strawberry.field(description="The order that is paid.")
    customer_id: strawberry.ID = strawberry.field(description="Who pays.")
    status: ChargeStatus = strawberry.field(description="How far the order is paid.")
    method: PaymentMethod | None = strawberry.field(description="That of the last attempt.")
    due: Money = strawberry.field(description="What is to be paid.")
    authorised: Money = strawberry.field(description="Held or captured; what was let go again does not count.")
    captured: Money = strawberry.field(description="Taken from the customer.")
    refunded: Money = strawberry.field(description="Given back.")
    charged_back: Money = strawberry.field(description="Taken back by the customer's bank.")
    paid: Money = strawberry.field(description="What we have of the customer's money.")
    next_action: NextAction | None = strawberry.field(
        description="What the customer has to do before it goes on; null if nothing."
    )
    attempts: list[PaymentAttempt] = strawberry.field(description="Every attempt to pay, the first first.")
    captures: list[PaymentPart] = strawberry.field(description="What was taken or is to be, the first first.")
    refunds: list[PaymentPart] = strawberry.field(description="What was given back or is to be, the first first.")
    ledger: list[LedgerEntry] = strawberry.field(description="Every movement of money, the first first.")
    unmatched: int | None = strawberry.field(
        description="Reports of the gateway that fit none of the attempts; for staff only."
    )
    created_at: datetime = strawberry.field(description="When it was opened.")
    state: strawberry.Private[State]

    @computed("What can be done to it, and why the rest cannot be done now; to customers what is for them.")
    def available_actions(self, info: Asked) -> list[AvailableAction]:
        return judged(actions.WAYS, self.state, self.id, info.context.actor, info.context.permit)

    @computed("The order that is paid.")
    async def order(self, info: Asked) -> Annotated[Order, strawberry.lazy("read_api.orders.nodes")] | None:
        from read_api.orders.nodes import order

        row = await info.context.loader(ORDERS.each).load(UUID(self.order_id))
        return order(row, info.context.actor) if row else None

    @computed("Who pays. Null until the read model of users has seen them.")
    async def customer(self, info: Asked) -> Annotated[User, strawberry.lazy("read_api.users.nodes")] | None:
        from read_api.users.nodes import user

        row = await info.context.loader(USERS.each).load(UUID(self.customer_id))
        return user(row, info.context.actor) if row else None


def payment(row: PaymentRow, actor: Actor) -> Payment:
    """The payment as `actor` may see it."""
    currency = row.currency
    return Payment(
        id=id_of(row.id),
        version=row.version,
        updated_at=row.updated_at,
        order_id=id_of(row.order_id),
        customer_id=id_of(row.customer_id),
        status=row.status,
        method=row.method,
        due=money(row.due, currency),
        authorised=money(row.authorised, currency),
        captured=money(row.captured, currency),
        refunded=money(row.refunded, currency),
        charged_back=money(row.charged_back, currency),
        paid=money(row.paid, currency),
        next_action=next_action(row.next_action),
        attempts=[attempt(each, currency, actor) for each in row.attempts],
        captures=[part(each, a, currency, actor) for a in row.attempts for each in a.captures],
        refunds=[part(each, a, currency, actor) for a in row.attempts for each in a.refunds],
        ledger=[entry(each, currency) for each in row.ledger],
        unmatched=row.unmatched if actor.in_charge else None,
        created_at=row.created_at,
        state=row.state,
    )
