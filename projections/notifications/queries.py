"""How notifications are looked up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from projections.grouping import grouped
from projections.listing import Listing
from projections.notifications.projector import notifications
from projections.notifications.row import NotificationRow
from projections.pool import Pool, connected

NOTIFICATIONS: Final = Listing(notifications.table)

MOST: Final = 100
"""Notifications about one order that are read: the newest."""

OF_ORDERS: Final = """
SELECT to_json(found)::text FROM unnest(%s::text[]) AS about (id)
CROSS JOIN LATERAL (
    SELECT * FROM reads.notifications t
    WHERE t.facts ->> 'order_id' = about.id ORDER BY t.requested_at DESC, t.id DESC LIMIT %s
) AS found
ORDER BY found.requested_at, found.id
"""


async def notifications_about(pool: Pool, orders: Sequence[UUID]) -> list[list[NotificationRow]]:
    """For each order the newest MOST that are about it, oldest first."""
    async with connected(pool) as connection:
        about = [str(id) for id in orders]
        rows = notifications.table.decoded(await (await connection.execute(OF_ORDERS, [about, MOST])).fetchall())
    return grouped(about, rows, lambda row: str(row.facts.get("order_id")))
