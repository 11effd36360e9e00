"""An order as it is looked up. Amounts are minor units of the order's currency."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.orders.events import CancelReason, RejectReason
from domain.orders.order import Status
from domain.value import Address, PaymentMethod
from projections.row import dataclass


@dataclass(frozen=True)
class LineRow:
    number: int
    product_id: UUID
    variant_id: UUID
    sku: str
    name: str
    unit_price: int
    quantity: int
    shipped: int = 0
    delivered: int = 0
    returned: int = 0


@dataclass(frozen=True)
class PortionRow:
    line: int
    quantity: int


@dataclass(frozen=True)
class ShipmentRow:
    id: UUID
    lines: tuple[PortionRow, ...]
    carrier: str
    tracking: str | None
    shipped_at: datetime
    delivered_at: datetime | None = None


@dataclass(frozen=True)
class ReturnRow:
    """`restock`: the goods can be sold again."""

    id: UUID
    lines: tuple[PortionRow, ...]
    refund: int
    returned_at: datetime
    restock: bool


@dataclass(frozen=True)
class EntryRow:
    """A change: when, what (the event type), by whom (as stored with the event), which state it led to, and why."""

    version: int
    at: datetime
    event: str
    actor: str
    status: Status
    reason: CancelReason | RejectReason | None = None
    note: str | None = None


@dataclass(frozen=True)
class OrderRow:
    """Columns of the table `orders`. Personal: `address`, `note` and the notes on the timeline; null once erased."""

    id: UUID
    version: int
    updated_at: datetime
    status: Status
    customer_id: UUID
    currency: str
    lines: tuple[LineRow, ...]
    shipping: int
    tax: int
    total: int
    created_at: datetime
    payment_method: PaymentMethod | None = None
    address: Address | None = None
    note: str | None = None
    shipments: tuple[ShipmentRow, ...] = ()
    returns: tuple[ReturnRow, ...] = ()
    timeline: tuple[EntryRow, ...] = ()
    saga_id: UUID | None = None
    saga_process: str | None = None
    placed_at: datetime | None = None
    closed_at: datetime | None = None
