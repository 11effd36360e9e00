"""Before the loop: what the placed order says of how it is to be paid.

A refusal is carried into the loop: only there does it become the one reply to an idempotency key.
"""

from __future__ import annotations

from commands.payments.messages import BeginAttempt, PayOrder
from commands.services import PaymentChoice, Services
from domain.errors import DomainError
from domain.ids import payment_of


async def chosen(message: PayOrder, services: Services) -> BeginAttempt:
    try:
        choice: PaymentChoice | DomainError = await services.placed_orders.choice(message.order_id)
    except DomainError as refusal:
        choice = refusal
    command = BeginAttempt(order_id=message.order_id, attempt_id=message.attempt_id, choice=choice)
    return command.bind(by=message.by, target=payment_of(message.order_id))
