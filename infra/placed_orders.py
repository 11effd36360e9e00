"""How a placed order is to be paid, from the log of orders: the token stands nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg_pool import PoolTimeout

from commands.log import Unavailable
from commands.services import PaymentChoice
from domain.errors import NotFound
from domain.event import Erased
from domain.ids import OrderId
from domain.orders.events import OrderPlaced
from domain.payments.errors import OrderNotPlaced, PaymentTokenErased
from infra.event_log.reader import LogReader
from projections.feed import Recorded, Unreadable
from projections.history import NotReadable


class LogPlacedOrders:
    def __init__(self, orders: LogReader) -> None:
        self._orders = orders

    async def choice(self, order_id: OrderId) -> PaymentChoice:
        """Raises NotFound, OrderNotPlaced, PaymentTokenErased, Unavailable, NotReadable."""
        try:
            events = await self._orders.stream(order_id)
        except (psycopg.Error, PoolTimeout) as error:
            raise Unavailable(str(error)) from error
        if not events:
            raise NotFound("order", order_id)
        placed = placing(events)
        if placed is None:
            raise OrderNotPlaced(order_id)
        if isinstance(placed.payment_token, Erased):
            raise PaymentTokenErased(order_id)
        return PaymentChoice(placed.customer_id, placed.total, placed.payment_method, placed.payment_token)


def placing(events: Sequence[Recorded]) -> OrderPlaced | None:
    """Raises NotReadable when it may be one of those that this release cannot read."""
    for recorded in events:
        if isinstance(recorded.event, OrderPlaced):
            return recorded.event
        if isinstance(recorded.event, Unreadable):
            raise NotReadable(recorded, recorded.event.reason)
    return None
