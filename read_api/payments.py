"""Payments in the graph: the money of an order."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.actor import Actor
from domain.payments.attempt import AttemptStatus
from domain.payments.events import Advice
from domain.payments.payment import ChargeStatus
from domain.value import PaymentMethod
from projections.listing import Condition, Ordering
from projections.orders.queries import ORDERS
from projections.payments.queries import PAYMENTS
from projections.payments.row import ActionKind, AttemptRow, EntryKind, LedgerRow, PaymentRow
from projections.users.queries import USERS
from read_api.access import SignedIn, computed, root
from read_api.connection import After, Before, Connection, First, Last, connection, paging
from read_api.context import Asked, Context
from read_api.filters import DateTimeFilter, IdFilter, conditions
from read_api.node import Node
from read_api.scalars import Money, money, uuid_of

if TYPE_CHECKING:
    from read_api.orders import Order
    from read_api.users import User

strawberry.enum(PaymentMethod, description="How an order is paid.")
strawberry.enum(ChargeStatus, description="How far an order is paid.")
strawberry.enum(AttemptStatus, name="PaymentAttemptStatus", description="Where an attempt to pay is in its life.")
strawberry.enum(Advice, name="DeclineAdvice", description="What the gateway advises after a decline.")
strawberry.enum(ActionKind, name="PaymentActionKind", description="How the customer is to go on.")
strawberry.enum(EntryKind, name="LedgerEntryKind", description="Which of a payment's sums an entry changes.")


@strawberry.type(description="What the customer has to do before the payment goes on.")
class NextAction:
    attempt_id: strawberry.ID
    kind: ActionKind
    url: str | None = strawberry.field(description="Where to go. Null when it is done in the gateway's own form.")


@strawberry.type(description="An attempt to pay. One at a time is active.")
class PaymentAttempt:
    id: strawberry.ID
    status: AttemptStatus
    method: PaymentMethod
    amount: Money
    authorised: Money = strawberry.field(description="What the gateway agreed to hold.")
    captured: Money
    refunded: Money
    charged_back: Money
    created_at: datetime
    expires_at: datetime | None = strawberry.field(description="Until when it is held.")
    advice: Advice | None = strawberry.field(description="Null unless it was declined.")
    declined: str | None = strawberry.field(description="The gateway's reason; for staff only.")
    reference: str | None = strawberry.field(description="The gateway's name for it; for staff only.")


@strawberry.type(description="A movement of money. The entries add up to the payment's sums.")
class LedgerEntry:
    number: int
    at: datetime = strawberry.field(description="When we heard of it.")
    happened_at: datetime = strawberry.field(description="When it happened, by the gateway's clock.")
    kind: EntryKind
    amount: Money = strawberry.field(description="Less than nothing where it was let go or taken back.")
    attempt_id: strawberry.ID


@strawberry.type(description="The payment of an order: all attempts at it, and what they come to.")
class Payment(Node):
    version: int = strawberry.field(description="Counts its changes.")
    updated_at: datetime
    order_id: strawberry.ID
    customer_id: strawberry.ID
    status: ChargeStatus
    method: PaymentMethod | None = strawberry.field(description="That of the last attempt.")
    due: Money
    authorised: Money = strawberry.field(description="Held or captured; what was let go again does not count.")
    captured: Money
    refunded: Money
    charged_back: Money
    paid: Money = strawberry.field(description="What we have of the customer's money.")
    next_action: NextAction | None
    attempts: list[PaymentAttempt]
    ledger: list[LedgerEntry]
    unmatched: int | None = strawberry.field(
        description="Reports of the gateway that fit none of the attempts; for staff only."
    )
    created_at: datetime

    @computed("The order that is paid.")
    async def order(self, info: Asked) -> Annotated[Order, strawberry.lazy("read_api.orders")] | None:
        from read_api.orders import order

        row = await info.context.loader(ORDERS.each).load(UUID(self.order_id))
        return order(row, info.context.actor) if row else None

    @computed("Who pays. Null until the read model of users has seen them.")
    async def customer(self, info: Asked) -> Annotated[User, strawberry.lazy("read_api.users")] | None:
        from read_api.users import user

        row = await info.context.loader(USERS.each).load(UUID(self.customer_id))
        return user(row, info.context.actor) if row else None


@strawberry.enum(description="Orderings of payments.")
class PaymentsOrderBy(Enum):
    CREATED_AT_ASC = Ordering("created_at")
    CREATED_AT_DESC = Ordering("created_at", descending=True)


@strawberry.input(description="Conditions on a charge status.")
class ChargeStatusFilter:
    eq: ChargeStatus | None = UNSET
    in_: list[ChargeStatus] | None = strawberry.field(name="in", default=UNSET)


@strawberry.input(description="Conditions on payments; all that are given must hold.")
class PaymentsWhere:
    status: ChargeStatusFilter | None = UNSET
    order_id: IdFilter | None = UNSET
    customer_id: IdFilter | None = UNSET
    created_at: DateTimeFilter | None = UNSET


@strawberry.type
class PaymentsQuery:
    @root(SignedIn, "One payment. Null if there is none that you may see.")
    async def payment(self, info: Asked, id: strawberry.ID) -> Payment | None:
        return await payment_by_id(info.context, uuid_of(id))

    @root(SignedIn, "Your payments; for staff, everybody's.")
    async def payments(
        self,
        info: Asked,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        where: PaymentsWhere | None = UNSET,
        order_by: PaymentsOrderBy = PaymentsOrderBy.CREATED_AT_DESC,
    ) -> Connection[Payment]:
        context = info.context
        own = [] if context.actor.in_charge else [Condition("customer_id", "eq", context.actor.id)]
        return await connection(
            context,
            PAYMENTS,
            [*own, *conditions(where)],
            order_by,
            paging(first, after, last, before),
            lambda row: payment(row, context.actor),
        )


async def payment_by_id(context: Context, id: UUID | None) -> Payment | None:
    row = await context.loader(PAYMENTS.each).load(id) if id else None
    if row is None or not context.actor.may_touch(row.customer_id):
        return None
    return payment(row, context.actor)


def payment(row: PaymentRow, actor: Actor) -> Payment:
    """The payment as `actor` may see it."""
    currency, action = row.currency, row.next_action
    return Payment(
        id=strawberry.ID(str(row.id)),
        version=row.version,
        updated_at=row.updated_at,
        order_id=strawberry.ID(str(row.order_id)),
        customer_id=strawberry.ID(str(row.customer_id)),
        status=row.status,
        method=row.method,
        due=money(row.due, currency),
        authorised=money(row.authorised, currency),
        captured=money(row.captured, currency),
        refunded=money(row.refunded, currency),
        charged_back=money(row.charged_back, currency),
        paid=money(row.paid, currency),
        next_action=NextAction(attempt_id=strawberry.ID(str(action.attempt_id)), kind=action.kind, url=action.url)
        if action
        else None,
        attempts=[attempt(each, currency, actor) for each in row.attempts],
        ledger=[entry(each, currency) for each in row.ledger],
        unmatched=row.unmatched if actor.in_charge else None,
        created_at=row.created_at,
    )


def attempt(row: AttemptRow, currency: str, actor: Actor) -> PaymentAttempt:
    return PaymentAttempt(
        id=strawberry.ID(str(row.id)),
        status=row.status,
        method=row.method,
        amount=money(row.amount, currency),
        authorised=money(row.authorised, currency),
        captured=money(row.captured, currency),
        refunded=money(row.refunded, currency),
        charged_back=money(row.charged_back, currency),
        created_at=row.created_at,
        expires_at=row.expires_at,
        advice=row.advice,
        declined=row.declined if actor.in_charge else None,
        reference=row.reference if actor.in_charge else None,
    )


def entry(row: LedgerRow, currency: str) -> LedgerEntry:
    return LedgerEntry(
        number=row.number,
        at=row.at,
        happened_at=row.happened_at,
        kind=row.kind,
        amount=money(row.amount, currency),
        attempt_id=strawberry.ID(str(row.attempt_id)),
    )
