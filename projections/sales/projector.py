"""Sales by day: each order and each payment is folded, one small function per event type, and says what it adds."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date
from typing import Any

from domain.event import Event
from domain.orders.events import (
    OrderCancelled,
    OrderConfirmed,
    OrderDrafted,
    OrderEvent,
    OrderExpired,
    OrderPlaced,
    OrderRejected,
    OrderReturned,
)
from domain.payments.events import PaymentEvent, PaymentOpened
from domain.payments.payment import Payment, evolve
from projections.feed import Recorded
from projections.model import Model, Projector, Sums, opened
from projections.row import replace
from projections.sales.row import MovedRow, OrderSalesRow, PaymentSalesRow, ReturnedRow

Day = tuple[date, str]
Added = dict[Day, Counter[str]]
"""What a row adds to each day it touches: (day, currency) -> column -> number."""

order_sales = Projector("order_sales", OrderSalesRow, OrderEvent)
payment_sales = Projector("payment_sales", PaymentSalesRow, PaymentEvent)


def day_of(event: Event) -> date:
    return event.timestamp.astimezone(UTC).date()


# -- orders


@order_sales.opens(OrderDrafted)
def drafted(event: OrderDrafted) -> OrderSalesRow:
    return OrderSalesRow(**opened(event), currency=event.currency)


@order_sales.opens(OrderPlaced)
def placed_at_once(event: OrderPlaced) -> OrderSalesRow:
    return OrderSalesRow(
        **opened(event),
        currency=event.total.currency,
        units=sum(line.quantity for line in event.lines),
        amount=event.total.amount,
        placed_on=day_of(event),
    )


@order_sales.on(OrderPlaced)
def placed(row: OrderSalesRow, event: OrderPlaced) -> OrderSalesRow:
    return placed_at_once(event)


@order_sales.on(OrderConfirmed)
def confirmed(row: OrderSalesRow, event: OrderConfirmed) -> OrderSalesRow:
    return replace(row, confirmed_on=day_of(event))


@order_sales.on(OrderRejected)
def rejected(row: OrderSalesRow, event: OrderRejected) -> OrderSalesRow:
    return replace(row, rejected_on=day_of(event))


@order_sales.on(OrderExpired)
def expired(row: OrderSalesRow, event: OrderExpired) -> OrderSalesRow:
    return replace(row, rejected_on=day_of(event))


@order_sales.on(OrderCancelled)
def cancelled(row: OrderSalesRow, event: OrderCancelled) -> OrderSalesRow:
    return replace(row, cancelled_on=day_of(event))


@order_sales.on(OrderReturned)
def returned(row: OrderSalesRow, event: OrderReturned) -> OrderSalesRow:
    back = ReturnedRow(day_of(event), sum(portion.quantity for portion in event.lines), event.refund.amount)
    return replace(row, returns=(*row.returns, back))


def order_days(row: OrderSalesRow) -> Added:
    """What the order adds to its days."""
    days: Added = {}
    if row.placed_on is None:
        return days  # a cart that was given up is no cancelled sale
    for name in ("placed", "confirmed", "rejected", "cancelled"):
        if day := getattr(row, f"{name}_on"):
            add(days, (day, row.currency), name, row.units, row.amount)
    for back in row.returns:
        add(days, (back.day, row.currency), "returned", back.units, back.amount)
    return days


def add(days: Added, day: Day, name: str, units: int, amount: int) -> None:
    days.setdefault(day, Counter()).update({name: 1, f"{name}_units": units, f"{name}_amount": amount})


# -- payments


@payment_sales.opens(PaymentOpened)
def payment_opened(event: PaymentOpened) -> PaymentSalesRow:
    return PaymentSalesRow(**opened(event), currency=event.due.currency, state=evolve(None, event))


@payment_sales.every
def moved(row: PaymentSalesRow, recorded: Recorded) -> PaymentSalesRow:
    """What the event changed in the payment's sums is put down under its day."""
    event: Any = recorded.event
    if event.originator_version == row.state.version:
        return row
    before, after = row.state, evolve(row.state, event)
    change = [then - now for then, now in zip(money_of(after), money_of(before), strict=True)]
    days = (*row.days, MovedRow(day_of(event), *change)) if any(change) else row.days
    return replace(row, state=after, days=days)


def money_of(payment: Payment) -> tuple[int, int, int]:
    return payment.captured.amount, payment.refunded.amount, payment.charged_back.amount


def payment_days(row: PaymentSalesRow) -> Added:
    """What the payment adds to its days."""
    days: Added = {}
    for each in row.days:
        sums = days.setdefault((each.day, row.currency), Counter())
        sums.update(captured=each.captured, refunded=each.refunded, charged_back=each.charged_back)
    return days


SALES_BY_DAY = Sums(
    "sales_by_day", key=("day", "currency"), adds={order_sales: order_days, payment_sales: payment_days}
)
SALES = Model("sales", contexts=("orders", "payments"), projectors=(order_sales, payment_sales), sums=(SALES_BY_DAY,))
