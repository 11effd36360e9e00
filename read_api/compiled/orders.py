"""Orders in SQL. Each field answers as its namesake in `read_api/orders`."""

from __future__ import annotations

from typing import Final

from domain.money import MAX_AMOUNT
from domain.payments.payment import ChargeStatus
from read_api.compiled.payments import PAYMENT
from read_api.compiled.shapes import (
    Fields,
    Leaf,
    Part,
    Related,
    for_staff,
    moment,
    moment_in,
    money,
    nullable,
    number,
    text,
    word,
)
from read_api.compiled.users import ADDRESS, USER

LINE: Final[Fields] = {
    "number": number("{t}.number"),
    "productId": word("{t}.product_id"),
    "variantId": word("{t}.variant_id"),
    "sku": text("{t}.sku"),
    "name": text("{t}.name"),
    "unitPrice": money("{t}.unit_price", "{p}.currency"),
    "total": money(f"least({{t}}.unit_price * {{t}}.quantity::numeric, {MAX_AMOUNT})", "{p}.currency"),
    "quantity": number("{t}.quantity"),
    "shipped": number("{t}.shipped"),
    "delivered": number("{t}.delivered"),
    "returned": number("{t}.returned"),
}
LINES: Final = (
    "json_to_recordset({t}.lines) AS {n}(number int, product_id text, variant_id text, sku text, name text,"
    " unit_price bigint, quantity bigint, shipped bigint, delivered bigint, returned bigint)"
)

PORTION: Final[Fields] = {"line": number("{t}.line"), "quantity": number("{t}.quantity")}
PORTIONS: Final = Related(
    "Portion", PORTION, "json_to_recordset({t}.lines) AS {n}(line int, quantity bigint)", many=True
)

SHIPMENT: Final[Fields] = {
    "id": word("{t}.id"),
    "lines": PORTIONS,
    "carrier": text("{t}.carrier"),
    "tracking": nullable(text("{t}.tracking")),
    "shippedAt": moment_in("{t}.shipped_at"),
    "deliveredAt": nullable(moment_in("{t}.delivered_at")),
}
SHIPMENTS: Final = (
    "json_to_recordset({t}.shipments) AS"
    " {n}(id text, lines json, carrier text, tracking text, shipped_at text, delivered_at text)"
)

RETURN: Final[Fields] = {
    "id": word("{t}.id"),
    "lines": PORTIONS,
    "refund": money("{t}.refund", "{p}.currency"),
    "returnedAt": moment_in("{t}.returned_at"),
}
RETURNS: Final = "json_to_recordset({t}.returns) AS {n}(id text, lines json, refund bigint, returned_at text)"

BY: Final = (
    "CASE WHEN {t}.actor = 'user:' || {p}.customer_id THEN 'CUSTOMER'"
    " WHEN starts_with({t}.actor, 'user:') THEN 'STAFF' ELSE 'SYSTEM' END"
)
ENTRY: Final[Fields] = {
    "version": number("{t}.version"),
    "at": moment_in("{t}.at"),
    "event": text("{t}.event"),
    "by": word(BY),
    "actor": for_staff(text("{t}.actor")),
    "status": word("{t}.status"),
    "reason": nullable(word("{t}.reason")),
    "note": nullable(text("{t}.note")),
}
TIMELINE: Final = (
    "json_to_recordset({t}.timeline) AS"
    " {n}(version bigint, at text, event text, actor text, status text, reason text, note text)"
)

CHARGE_STATUS: Final = (
    "coalesce((SELECT m.status FROM reads.payments m WHERE m.order_id = {t}.id),"  # noqa: ISC003
    + f" '{ChargeStatus.NONE.name}')"
)

ORDER: Final[Fields] = {
    "id": word("{t}.id"),
    "version": number("{t}.version"),
    "updatedAt": moment("{t}.updated_at"),
    "status": word("{t}.status"),
    "customerId": word("{t}.customer_id"),
    "lines": Related("OrderLine", LINE, LINES, many=True),
    "shipping": money("{t}.shipping"),
    "tax": money("{t}.tax"),
    "total": money("{t}.total"),
    "paymentMethod": nullable(word("{t}.payment_method")),
    "address": Part("Address", ADDRESS, "{t}.address IS NOT NULL"),
    "note": nullable(text("{t}.note")),
    "shipments": Related("Shipment", SHIPMENT, SHIPMENTS, many=True),
    "returns": Related("Return", RETURN, RETURNS, many=True),
    "timeline": Related("TimelineEntry", ENTRY, TIMELINE, many=True),
    "createdAt": moment("{t}.created_at"),
    "placedAt": nullable(moment("{t}.placed_at")),
    "closedAt": nullable(moment("{t}.closed_at")),
    "customer": Related("User", USER, "reads.users {n} WHERE {n}.id = {t}.customer_id"),
    "payment": Related("Payment", PAYMENT, "reads.payments {n} WHERE {n}.order_id = {t}.id"),
    "chargeStatus": Leaf(CHARGE_STATUS, quoted=True),
}
