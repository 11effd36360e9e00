"""The ceiling of a replay: the same rows from the same events by psycopg and plain functions over dictionaries.

No framework: no types, nothing about what cannot be read or applied, no other worker, no going on after a crash beyond
a position in the same transaction. One process: read a batch, fold it, upsert it, again.
"""

from __future__ import annotations

import time
from base64 import b64decode
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import from_json, to_json

from domain.ids import OrderId, checkout_of, payment_of

BATCH: Final = 4_000

READ: Final = """
SELECT notification_id, originator_id, originator_version, topic, state, actor FROM orders.stored_events
WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""
UPSERT: Final = """
INSERT INTO bare.orders SELECT * FROM json_populate_recordset(NULL::bare.orders, %s::json)
ON CONFLICT (id) DO UPDATE SET (version, updated_at, status, customer_id, currency, lines, shipping, tax, total,
    payment_method, address, note, shipments, returns, timeline, saga_id, saga_process, created_at,
    placed_at, closed_at)
= ROW (excluded.version, excluded.updated_at, excluded.status, excluded.customer_id, excluded.currency, excluded.lines,
    excluded.shipping, excluded.tax, excluded.total, excluded.payment_method, excluded.address, excluded.note,
    excluded.shipments, excluded.returns, excluded.timeline, excluded.saga_id, excluded.saga_process,
    excluded.created_at, excluded.placed_at, excluded.closed_at)
"""

Row = dict[str, Any]


def line(of: Row) -> Row:
    return {
        "number": of["number"],
        "product_id": of["product_id"],
        "variant_id": of["variant_id"],
        "sku": of["sku"],
        "name": of["name"],
        "unit_price": of["unit_price"]["amount"],
        "quantity": of["quantity"],
        "shipped": 0,
        "delivered": 0,
        "returned": 0,
    }


def drafted(row: Row, e: Row) -> None:
    row |= {"status": "DRAFT", "customer_id": e["customer_id"], "currency": e["currency"], "lines": []}
    row |= {"shipping": 0, "tax": 0, "total": 0, "created_at": e["timestamp"]}


def line_added(row: Row, e: Row) -> None:
    row["lines"].append(line(e["line"]))
    row["total"] = sum(of["unit_price"] * of["quantity"] for of in row["lines"])


def placed(row: Row, e: Row) -> None:
    row |= {"status": "PLACED", "customer_id": e["customer_id"], "currency": e["total"]["currency"]}
    row |= {"lines": [line(of) for of in e["lines"]], "shipping": e["shipping"]["amount"], "tax": e["tax"]["amount"]}
    row |= {"total": e["total"]["amount"], "payment_method": e["payment_method"], "address": e["address"]}
    row |= {"note": e["note"], "placed_at": e["timestamp"]}
    row |= {"saga_id": str(checkout_of(payment_of(OrderId(UUID(row["id"]))))), "saga_process": "checkout"}
    row.setdefault("created_at", e["timestamp"])


def confirmed(row: Row, e: Row) -> None:
    row["status"] = "CONFIRMED"


def rejected(row: Row, e: Row) -> None:
    ended(row, "REJECTED", e)


def cancellation_requested(row: Row, e: Row) -> None:
    row["status"] = "CANCEL_PENDING"


def cancelled(row: Row, e: Row) -> None:
    ended(row, "CANCELLED", e)


def ended(row: Row, status: str, e: Row) -> None:
    row |= {"status": status, "closed_at": e["timestamp"], "saga_id": None, "saga_process": None}


def shipped(row: Row, e: Row) -> None:
    row["status"] = "SHIPPED" if e["complete"] else "PARTIALLY_SHIPPED"
    row["shipments"].append(
        {
            "id": e["shipment_id"],
            "lines": e["lines"],
            "carrier": e["carrier"],
            "tracking": e["tracking"],
            "shipped_at": e["timestamp"],
            "delivered_at": None,
        }
    )
    count(row, "shipped", e["lines"])


def delivered(row: Row, e: Row) -> None:
    if e["complete"]:
        row["status"] = "DELIVERED"
    for shipment in row["shipments"]:
        if shipment["id"] == e["shipment_id"]:
            shipment["delivered_at"] = e["timestamp"]
            count(row, "delivered", shipment["lines"])


def count(row: Row, column: str, portions: list[Row]) -> None:
    for portion in portions:
        for of in row["lines"]:
            if of["number"] == portion["line"]:
                of[column] += portion["quantity"]


FOLDS: Final[dict[str, Callable[[Row, Row], None]]] = {
    "orders.order-drafted": drafted,
    "orders.line-added": line_added,
    "orders.order-placed": placed,
    "orders.order-confirmed": confirmed,
    "orders.order-rejected": rejected,
    "orders.cancellation-requested": cancellation_requested,
    "orders.order-cancelled": cancelled,
    "orders.order-shipped": shipped,
    "orders.order-delivered": delivered,
}
REASONED: Final = {"orders.order-rejected", "orders.cancellation-requested", "orders.order-cancelled"}


def opened(id: UUID) -> Row:
    return {"id": str(id), "shipments": [], "returns": [], "timeline": []}


def fold(row: Row, version: int, topic: str, event: Row, actor: str) -> None:
    FOLDS[topic](row, event)
    row |= {"version": version, "updated_at": event["timestamp"]}
    reasoned = topic in REASONED
    row["timeline"].append(
        {
            "version": version,
            "at": event["timestamp"],
            "event": topic,
            "actor": actor,
            "status": row["status"],
            "reason": event["reason"] if reasoned else None,
            "note": (event["note"] or None) if reasoned and topic != "orders.order-rejected" else None,
        }
    )


def opener(keys: dict[str, bytes]) -> Callable[[UUID, int, bytes], Row]:
    boxes = {owner: AESGCM(key) for owner, key in keys.items()}

    def open(id: UUID, version: int, state: bytes) -> Row:
        event: Row = from_json(state)
        if sealed := event.pop("sealed", None):
            box = b64decode(sealed["box"])
            event |= from_json(boxes[sealed["of"]].decrypt(box[:12], box[12:], f"{id}/{version}".encode()))
        return event

    return open


def replayed(conninfo: str, table_sql: str, keys: dict[str, bytes]) -> float:
    """Seconds it took, indexes included, which are made at the end as in a replay."""
    table, _, indexes = table_sql.partition("CREATE INDEX")
    with psycopg.connect(conninfo) as connection:
        connection.execute("CREATE SCHEMA bare; SET search_path TO bare, public")
        connection.execute(table.encode())
        connection.execute("CREATE TABLE position (position bigint); INSERT INTO position VALUES (0)")
        connection.execute("SET synchronous_commit = off")
        connection.commit()
        began = time.perf_counter()
        run(connection, opener(keys))
        connection.execute(("CREATE INDEX" + indexes).encode())
        connection.commit()
        return time.perf_counter() - began


def run(connection: psycopg.Connection[Any], open: Callable[[UUID, int, bytes], Row]) -> None:
    position = 0
    while events := connection.cursor(binary=True).execute(READ, [position, BATCH]).fetchall():
        ids = list({e[1] for e in events})
        found = connection.execute("SELECT to_json(t) FROM bare.orders t WHERE id = ANY(%s)", [ids]).fetchall()
        rows: dict[UUID, Row] = {UUID(row["id"]): row for (row,) in found}
        for _, id, version, topic, state, actor in events:
            if id not in rows:
                rows[id] = opened(id)
            fold(rows[id], version, topic, open(id, version, state), actor)
        connection.execute(UPSERT, [to_json([rows[id] for id in ids]).decode()])
        position = events[-1][0]
        connection.execute("UPDATE position SET position = %s", [position])
        connection.commit()
