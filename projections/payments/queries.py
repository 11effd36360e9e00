"""How payments are looked up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from domain.ids import OrderId, payment_of
from projections.listing import Listing
from projections.payments.projector import payments, unmatched, unmatched_webhooks
from projections.payments.row import PaymentRow
from projections.pool import Pool

PAYMENTS: Final = Listing(payments.table)
UNMATCHED: Final = Listing(unmatched.table)
UNMATCHED_WEBHOOKS: Final = Listing(unmatched_webhooks.table)


async def payments_of(pool: Pool, orders: Iterable[UUID]) -> list[PaymentRow | None]:
    """In the order of the ids; None where nothing was ever to be paid: the charge status is NONE then."""
    ids = [payment_of(OrderId(order)) for order in orders]
    found = await PAYMENTS.many(pool, ids)
    return [found.get(id) for id in ids]
