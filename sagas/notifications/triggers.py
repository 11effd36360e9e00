"""Which events somebody is told of, as data: a process of one step for each, which needs no instance of its own.

The step's one command has an id that follows from the event, so a to-do row is all there is of it: see
docs/adr/0023-a-trigger-is-a-row.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from domain.event import JSON, Event
from domain.notifications.events import Facts
from domain.notifications.triggers import Trigger as Name
from domain.orders.events import (
    OrderCancelled,
    OrderConfirmed,
    OrderExpired,
    OrderPlaced,
    OrderRejected,
    OrderShipped,
)
from domain.payments.events import PaymentDeclined, PaymentRefunded
from domain.products.events import StockRanLow, StockRanOut
from domain.users.events import PasswordResetAsked, UserRegistered
from projections.asking import Rule
from sagas.notifications.recipients import (
    FindRecipient,
    customer_of_order,
    customer_of_payment,
    owner_of_credentials,
    staff_about_variant,
    the_user,
)

KIND: Final = "notify"


def no_facts(event: Any) -> Facts:
    return {}


@dataclass(frozen=True, slots=True)
class Trigger:
    """`facts` are the ids and numbers that the event has and a reader of the notification needs."""

    name: Name
    event: type[Event]
    to: FindRecipient
    facts: Callable[[Any], Facts] = no_facts


def version(event: PasswordResetAsked) -> Facts:
    """The link in the mail is made from it."""
    return {"version": event.originator_version}


def shipment(event: OrderShipped) -> Facts:
    return {"shipment_id": str(event.shipment_id)}


def reason(event: OrderCancelled | OrderRejected) -> Facts:
    return {"reason": event.reason.value}


def refund(event: PaymentRefunded) -> Facts:
    return {"refund_id": str(event.refund_id), "amount": event.amount.amount, "currency": event.amount.currency}


def advice(event: PaymentDeclined) -> Facts:
    """What the customer may do about it; the templates ask for it as they ask for every reason."""
    return {"reason": event.advice.value}


def available(event: StockRanLow) -> Facts:
    return {"available": event.available}


TRIGGERS: Final = (
    Trigger(Name.REGISTERED, UserRegistered, the_user),
    Trigger(Name.PASSWORD_RESET, PasswordResetAsked, owner_of_credentials, version),
    Trigger(Name.ORDER_PLACED, OrderPlaced, customer_of_order),
    Trigger(Name.ORDER_CONFIRMED, OrderConfirmed, customer_of_order),
    Trigger(Name.ORDER_SHIPPED, OrderShipped, customer_of_order, shipment),
    Trigger(Name.ORDER_CANCELLED, OrderCancelled, customer_of_order, reason),
    Trigger(Name.ORDER_REJECTED, OrderRejected, customer_of_order, reason),
    Trigger(Name.ORDER_EXPIRED, OrderExpired, customer_of_order),
    Trigger(Name.ORDER_REFUNDED, PaymentRefunded, customer_of_payment, refund),
    Trigger(Name.PAYMENT_FAILED, PaymentDeclined, customer_of_payment, advice),
    Trigger(Name.STOCK_LOW, StockRanLow, staff_about_variant, available),
    Trigger(Name.STOCK_OUT, StockRanOut, staff_about_variant),
)

BY_NAME: Final[Mapping[str, Trigger]] = {trigger.name: trigger for trigger in TRIGGERS}


def rule(trigger: Trigger) -> Rule:
    def data(event: Any) -> JSON:
        return {"trigger": trigger.name.value, "facts": trigger.facts(event)}

    return Rule(trigger.event, KIND, data=data)


def rules(context: str) -> Sequence[Rule]:
    """Of the triggers in one context."""
    return [rule(trigger) for trigger in TRIGGERS if trigger.event.TOPIC.partition(".")[0] == context]
