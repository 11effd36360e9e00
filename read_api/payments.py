"""Payments in the graph: the money of an order."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.actor import Actor
from domain.payments.attempt import AttemptStatus, EntryStatus
from domain.payments.events import Advice
from domain.payments.payment import ChargeStatus
from domain.payments.payment import Payment as State
from domain.value import PaymentMethod
from projections.listing import Condition, Ordering
from projections.orders.queries import ORDERS
from projections.payments.projector import PAYMENTS as MODEL
from projections.payments.projector import payments as projector
from projections.payments.queries import PAYMENTS
from projections.payments.row import ActionKind, AttemptRow, EntryKind, LedgerRow, PartRow, PaymentRow
from projections.users.queries import USERS
from read_api.access import SignedIn, computed, root
from read_api.actions import payments as actions
from read_api.actions.judging import AvailableAction, judged
from read_api.connection import ORDERED, WHICH, After, Before, Connection, First, Last, connection, paging
from read_api.context import Asked, Context
from read_api.described import described
from read_api.filters import DateTimeFilter, IdFilter, conditions
from read_api.history import AsOf, Kind, When, row_of
from read_api.node import Node
from read_api.scalars import Id, Money, money, uuid_of

if TYPE_CHECKING:
    from read_api.orders import Order
    from read_api.users import User

PAYMENT: Final = Kind("payments", MODEL, projector, PAYMENTS)

described(
    PaymentMethod,
    "How an order is paid.",
    CREDIT_CARD="By credit card.",
    DEBIT_CARD="By debit card.",
    BANK_TRANSFER="By bank transfer, which may take days.",
    WALLET="By an electronic wallet.",
)
described(
    EntryStatus,
    "What became of a capture or a refund.",
    name="PaymentPartStatus",
    PENDING="The gateway was asked, or is to be.",
    SUCCEEDED="It was done.",
    FAILED="It was not done.",
)
described(
    ChargeStatus,
    "How far an order is paid.",
    NONE="Nothing is held or taken.",
    AUTHORISED="It is held, and not taken yet.",
    PARTIALLY_CAPTURED="Less than the order's total was taken.",
    CAPTURED="It is paid.",
    PARTIALLY_REFUNDED="A part was given back.",
    REFUNDED="All was given back.",
    OVERCHARGED="More was taken than is owed.",
    CHARGED_BACK="The customer's bank has taken money back.",
)
described(
    AttemptStatus,
    "Where an attempt to pay is in its life.",
    name="PaymentAttemptStatus",
    CREATED="The gateway is to be asked.",
    ACTION_REQUIRED="The customer has to do something first.",
    PENDING="The gateway has not decided yet.",
    AUTHORISED="The money is held.",
    PARTIALLY_CAPTURED="A part of it was taken.",
    CAPTURED="It was taken.",
    PARTIALLY_REFUNDED="A part of what was taken was given back.",
    REFUNDED="All that was taken was given back.",
    DECLINED="It was refused.",
    VOIDED="What was held was let go.",
    AUTH_EXPIRED="The gateway does not hold it any longer.",
    CHARGED_BACK="The customer's bank has taken it back.",
)
described(
    Advice,
    "What the gateway advises after a decline.",
    name="DeclineAdvice",
    TRY_AGAIN="The same may work later.",
    OTHER_METHOD="Another way of paying is needed.",
    NONE="Nothing.",
)
described(
    ActionKind,
    "How the customer is to go on.",
    name="PaymentActionKind",
    REDIRECT="By going to the address.",
    CONFIRM="In the gateway's own form.",
)
described(
    EntryKind,
    "Which of a payment's sums an entry changes.",
    name="LedgerEntryKind",
    AUTHORISED="What is held or taken.",
    CAPTURED="What was taken.",
    REFUNDED="What was given back.",
    CHARGED_BACK="What the customer's bank took back.",
)


@strawberry.type(description="What the customer has to do before the payment goes on.")
class NextAction:
    attempt_id: strawberry.ID = strawberry.field(description="The attempt that waits for it.")
    kind: ActionKind = strawberry.field(description="What is to be done.")
    url: str | None = strawberry.field(description="Where to go. Null when it is done in the gateway's own form.")


@strawberry.type(description="Money that was to be taken, or to be given back, in one go.")
class PaymentPart:
    id: strawberry.ID = strawberry.field(description="Its id, as the command named it.")
    attempt_id: strawberry.ID = strawberry.field(description="The attempt it belongs to.")
    amount: Money = strawberry.field(description="How much.")
    status: EntryStatus = strawberry.field(description="What became of it.")
    reference: str | None = strawberry.field(description="The gateway's name for it; for staff only.")


@strawberry.type(description="An attempt to pay. One at a time is active.")
class PaymentAttempt:
    id: strawberry.ID = strawberry.field(description="Its id.")
    status: AttemptStatus = strawberry.field(description="Where it is in its life.")
    method: PaymentMethod = strawberry.field(description="How it is paid.")
    amount: Money = strawberry.field(description="What was to be paid by it.")
    authorised: Money = strawberry.field(description="What the gateway agreed to hold.")
    captured: Money = strawberry.field(description="Taken from the customer.")
    refunded: Money = strawberry.field(description="Given back.")
    charged_back: Money = strawberry.field(description="Taken back by the customer's bank.")
    created_at: datetime = strawberry.field(description="When it was begun.")
    expires_at: datetime | None = strawberry.field(description="Until when it is held.")
    advice: Advice | None = strawberry.field(description="Null unless it was declined.")
    declined: str | None = strawberry.field(description="The gateway's reason; for staff only.")
    reference: str | None = strawberry.field(description="The gateway's name for it; for staff only.")


@strawberry.type(description="A movement of money. The entries add up to the payment's sums.")
class LedgerEntry:
    number: int = strawberry.field(description="Its place in the ledger, from 1.")
    at: datetime = strawberry.field(description="When we heard of it.")
    happened_at: datetime = strawberry.field(description="When it happened, by the gateway's clock.")
    kind: EntryKind = strawberry.field(description="Which sum it changes.")
    amount: Money = strawberry.field(description="Less than nothing where it was let go or taken back.")
    attempt_id: strawberry.ID = strawberry.field(description="The attempt it belongs to.")


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
    async def order(self, info: Asked) -> Annotated[Order, strawberry.lazy("read_api.orders")] | None:
        from read_api.orders import order

        row = await info.context.loader(ORDERS.each).load(UUID(self.order_id))
        return order(row, info.context.actor) if row else None

    @computed("Who pays. Null until the read model of users has seen them.")
    async def customer(self, info: Asked) -> Annotated[User, strawberry.lazy("read_api.users")] | None:
        from read_api.users import user

        row = await info.context.loader(USERS.each).load(UUID(self.customer_id))
        return user(row, info.context.actor) if row else None


class PaymentsOrderBy(Enum):
    CREATED_AT_ASC = Ordering("created_at")
    CREATED_AT_DESC = Ordering("created_at", descending=True)


described(
    PaymentsOrderBy,
    "Orderings of payments.",
    CREATED_AT_ASC="The oldest first.",
    CREATED_AT_DESC="The newest first.",
)


@strawberry.input(description="Conditions on a charge status.")
class ChargeStatusFilter:
    eq: ChargeStatus | None = strawberry.field(default=UNSET, description="It is this one.")
    in_: list[ChargeStatus] | None = strawberry.field(name="in", default=UNSET, description="It is one of these.")


@strawberry.input(description="Conditions on payments; all that are given must hold.")
class PaymentsWhere:
    status: ChargeStatusFilter | None = strawberry.field(default=UNSET, description="How far the order is paid.")
    order_id: IdFilter | None = strawberry.field(default=UNSET, description="The order that is paid.")
    customer_id: IdFilter | None = strawberry.field(default=UNSET, description="Who pays.")
    created_at: DateTimeFilter | None = strawberry.field(default=UNSET, description="When it was opened.")


@strawberry.type
class PaymentsQuery:
    @root(SignedIn, "One payment. Null if there is none that you may see.")
    async def payment(self, info: Asked, id: Id, as_of: When = UNSET) -> Payment | None:
        return await payment_by_id(info.context, uuid_of(id), as_of or None)

    @root(SignedIn, "Your payments; for staff, everybody's.")
    async def payments(
        self,
        info: Asked,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        where: Annotated[PaymentsWhere | None, WHICH] = UNSET,
        order_by: Annotated[PaymentsOrderBy, ORDERED] = PaymentsOrderBy.CREATED_AT_DESC,
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


async def payment_by_id(context: Context, id: UUID | None, as_of: AsOf | None = None) -> Payment | None:
    row = await row_of(context, PAYMENT, id, as_of)
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
        captures=[part(each, a, currency, actor) for a in row.attempts for each in a.captures],
        refunds=[part(each, a, currency, actor) for a in row.attempts for each in a.refunds],
        ledger=[entry(each, currency) for each in row.ledger],
        unmatched=row.unmatched if actor.in_charge else None,
        created_at=row.created_at,
        state=row.state,
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


def part(row: PartRow, of: AttemptRow, currency: str, actor: Actor) -> PaymentPart:
    return PaymentPart(
        id=strawberry.ID(str(row.id)),
        attempt_id=strawberry.ID(str(of.id)),
        amount=money(row.amount, currency),
        status=row.status,
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
