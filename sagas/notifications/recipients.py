"""Who is told of an event, found from the aggregate it happened to, with the ids that lead back to that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from domain.errors import NotFound
from domain.ids import UserId
from domain.notifications.events import Audience, Facts
from domain.orders.order import Order
from domain.payments.payment import Payment
from domain.users.credentials import Credentials
from sagas.notifications.port import WriteSide

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Recipient:
    user_id: UserId | None = None
    audience: Audience | None = None
    facts: Facts = field(default_factory=dict)


FindRecipient = Callable[[UUID, WriteSide], Awaitable[Recipient]]
"""From the id of the stream. Raises NotFound for what the log, as it is now, does not know."""


async def the_user(id: UUID, states: WriteSide) -> Recipient:
    return Recipient(UserId(id))


async def owner_of_credentials(id: UUID, states: WriteSide) -> Recipient:
    return Recipient((await found(states, "users", id, Credentials)).user_id)


async def customer_of_order(id: UUID, states: WriteSide) -> Recipient:
    return Recipient((await found(states, "orders", id, Order)).customer_id, facts={"order_id": str(id)})


async def customer_of_payment(id: UUID, states: WriteSide) -> Recipient:
    payment = await found(states, "payments", id, Payment)
    return Recipient(payment.customer_id, facts={"order_id": str(payment.order_id)})


async def staff_about_variant(id: UUID, states: WriteSide) -> Recipient:
    return Recipient(audience=Audience.STAFF, facts={"variant_id": str(id)})


async def found(states: WriteSide, context: str, id: UUID, kind: type[S]) -> S:
    state = await states.get(context, id)
    if not isinstance(state, kind):
        raise NotFound(kind.__name__.lower(), id)
    return state
