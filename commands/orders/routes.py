"""Everything that can be asked for about orders, and by whom."""

from __future__ import annotations

from typing import Final

from commands.orders.messages import (
    AddLine,
    AskQuote,
    CancelOrder,
    ChangeLine,
    CloseOrder,
    ConfirmOrder,
    DeliverOrder,
    DraftOrder,
    ExpireOrder,
    HandOverOrder,
    PlaceOrder,
    RejectOrder,
    ReleaseOrder,
    RemoveLine,
    ReturnOrder,
    ShipOrder,
)
from commands.orders.prepare import drafted, offered, priced, quoted
from commands.route import ACCEPTED, CREATED, IGNORED, REQUIRED, Resource, Route
from domain.orders.order import Order
from domain.orders.quote import Quote

DRAFT, PROCESS, SHIP = "orders:draft", "orders:process", "orders:ship"

ROUTES: Final = [
    Route("/v1/quotes", AskQuote, "quotes:ask", key=IGNORED, serve=quoted, answers=Quote),
    Route("/v1/orders", PlaceOrder, "orders:place", key=REQUIRED, answer=CREATED, prepare=priced, waits=True),
    Route("/v1/orders/draft", DraftOrder, DRAFT, answer=CREATED, prepare=drafted),
    Route("/v1/orders/{id}/add-line", AddLine, DRAFT, prepare=offered),
    Route("/v1/orders/{id}/change-line", ChangeLine, DRAFT),
    Route("/v1/orders/{id}/remove-line", RemoveLine, DRAFT),
    Route("/v1/orders/{id}/cancel", CancelOrder, "orders:cancel", key=REQUIRED, answer=ACCEPTED, waits=True),
    Route("/v1/orders/{id}/return", ReturnOrder, "orders:return", key=REQUIRED, answer=ACCEPTED, waits=True),
    Route("/v1/orders/{id}/ship", ShipOrder, SHIP, key=REQUIRED),
    Route("/v1/orders/{id}/deliver", DeliverOrder, SHIP),
    Route("/v1/orders/{id}/confirm", ConfirmOrder, PROCESS),
    Route("/v1/orders/{id}/reject", RejectOrder, PROCESS),
    Route("/v1/orders/{id}/expire", ExpireOrder, PROCESS),
    Route("/v1/orders/{id}/close", CloseOrder, PROCESS),
    Route("/v1/orders/{id}/hand-over", HandOverOrder, PROCESS, key=REQUIRED),
    Route("/v1/orders/{id}/release", ReleaseOrder, PROCESS, key=REQUIRED),
]

RESOURCES: Final = [
    Resource("orders", Order, "orders", "orders:look", owner=lambda order: order.customer_id),
]
