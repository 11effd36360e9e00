"""Sales by day: what each order and each payment adds to which day. Days are UTC's, amounts minor units.

An event counts on the day it was recorded, so that a day that is over changes no more, however late a gateway reports.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from domain.payments.payment import Payment
from projections.row import dataclass


@dataclass(frozen=True)
class ReturnedRow:
    """Goods of an order that came back on a day, and what is owed for them."""

    day: date
    units: int
    amount: int


@dataclass(frozen=True)
class OrderSalesRow:
    """Columns of the table `order_sales`: one order. A draft, which was never placed, counts on no day.

    `rejected_on` is also when it expired.
    """

    id: UUID
    version: int
    updated_at: datetime
    currency: str
    units: int = 0
    amount: int = 0
    placed_on: date | None = None
    confirmed_on: date | None = None
    rejected_on: date | None = None
    cancelled_on: date | None = None
    returns: tuple[ReturnedRow, ...] = ()


@dataclass(frozen=True)
class MovedRow:
    """What a payment's sums changed by on a day; less than nothing where the gateway took its word back."""

    day: date
    captured: int
    refunded: int
    charged_back: int


@dataclass(frozen=True)
class PaymentSalesRow:
    """Columns of the table `payment_sales`: one payment. `state` is the aggregate's own."""

    id: UUID
    version: int
    updated_at: datetime
    currency: str
    state: Payment
    days: tuple[MovedRow, ...] = ()


@dataclass(frozen=True)
class DayRow:
    """A day in a currency: of orders how many, how many units in them, and what they come to; and the money moved."""

    day: date
    currency: str
    placed: int = 0
    placed_units: int = 0
    placed_amount: int = 0
    confirmed: int = 0
    confirmed_units: int = 0
    confirmed_amount: int = 0
    rejected: int = 0
    rejected_units: int = 0
    rejected_amount: int = 0
    cancelled: int = 0
    cancelled_units: int = 0
    cancelled_amount: int = 0
    returned: int = 0
    returned_units: int = 0
    returned_amount: int = 0
    captured: int = 0
    refunded: int = 0
    charged_back: int = 0
