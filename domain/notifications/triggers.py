"""What somebody is told of. An event holds the trigger's name only, so that a new one changes no event's shape."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Final


class Trigger(StrEnum):
    REGISTERED = "registered"
    PASSWORD_RESET = "password-reset"  # noqa: S105 the name of a mail
    ORDER_PLACED = "order-placed"
    ORDER_CONFIRMED = "order-confirmed"
    ORDER_SHIPPED = "order-shipped"
    ORDER_CANCELLED = "order-cancelled"
    ORDER_REJECTED = "order-rejected"
    ORDER_EXPIRED = "order-expired"
    ORDER_REFUNDED = "order-refunded"
    PAYMENT_FAILED = "payment-failed"
    STOCK_LOW = "stock-low"
    STOCK_OUT = "stock-out"


class Sort(Enum):
    """By what it is decided who gets it how."""

    SECURITY = "security"  # about the account itself: always by e-mail, and by nothing else
    ORDER = "order"  # an update that a customer may choose not to be sent
    STAFF = "staff"  # for whoever works in the shop


SORTS: Final[dict[Trigger, Sort]] = dict.fromkeys(Trigger, Sort.ORDER) | {
    Trigger.REGISTERED: Sort.SECURITY,
    Trigger.PASSWORD_RESET: Sort.SECURITY,
    Trigger.STOCK_LOW: Sort.STAFF,
    Trigger.STOCK_OUT: Sort.STAFF,
}
