"""The words of an order, and what they mean."""

from __future__ import annotations

from enum import Enum

from domain.orders.order import Status
from read_api.described import described

__all__ = ["OrderClosedReason", "Status"]

described(
    Status,
    "Where an order is in its life.",
    name="OrderStatus",
    DRAFT="A cart.",
    PLACED="Ordered; goods and money are being seen to.",
    CONFIRMED="Goods and money are there.",
    PARTIALLY_SHIPPED="A part was sent.",
    SHIPPED="All was sent.",
    DELIVERED="All has arrived.",
    RETURNED="All came back.",
    REJECTED="The shop could not take it.",
    EXPIRED="It was not paid in time.",
    CANCEL_PENDING="It is being cancelled: money and goods are put back.",
    CANCELLED="It is cancelled.",
)


class OrderClosedReason(Enum):
    CUSTOMER = "CUSTOMER"
    STAFF = "STAFF"
    SYSTEM = "SYSTEM"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    PAYMENT_DECLINED = "PAYMENT_DECLINED"
    REFUSED_BY_SHOP = "REFUSED_BY_SHOP"


described(
    OrderClosedReason,
    "Why an order was cancelled or rejected.",
    CUSTOMER="The customer wished so.",
    STAFF="Somebody of the shop wished so.",
    SYSTEM="It could not go on by itself.",
    OUT_OF_STOCK="There were not enough goods.",
    PAYMENT_DECLINED="It could not be paid.",
    REFUSED_BY_SHOP="The shop did not want it.",
)
