"""A log of orders as a shop would have it: their usual histories, some hundreds under way at any time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import psycopg

from domain.event import Event
from domain.ids import OrderId, ProductId, ShipmentId, UserId, VariantId, derive, new_id
from domain.money import Money
from domain.orders.events import (
    CancellationRequested,
    CancelReason,
    LineAdded,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderDrafted,
    OrderLine,
    OrderPlaced,
    OrderRejected,
    OrderShipped,
    Portion,
    RejectReason,
)
from domain.value import Address, PaymentMethod
from infra.event_log.mapper import EventMapper

AT: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UNDER_WAY: Final = 500
HOME: Final = Address(name="Sato Hanako", line1="1-2-3 Nishi", postal_code="150-0001", city="Tokyo", country="JP")
COPY: Final = """
COPY orders.stored_events (originator_id, originator_version, topic, state, notification_id, event_id, recorded_at,
    correlation_id, actor) FROM STDIN
"""


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


LINES: Final = tuple(
    OrderLine(
        number=n,
        product_id=ProductId(derive("bench", f"product {n}")),
        variant_id=VariantId(derive("bench", f"variant {n}")),
        sku=f"NB-{n}",
        name="Notebook",
        unit_price=eur(1200),
        quantity=n,
    )
    for n in (1, 2)
)
PORTIONS: Final = tuple(Portion(line=line.number, quantity=line.quantity) for line in LINES)


class Story:
    """One order's events, one after another."""

    def __init__(self, id: OrderId, customer: UserId, at: datetime) -> None:
        self._customer = customer
        self._identity: dict[str, Any] = {"originator_id": id, "originator_version": 0, "timestamp": at}

    def _next(self) -> dict[str, Any]:
        self._identity["originator_version"] += 1
        self._identity["timestamp"] += timedelta(seconds=1)
        return self._identity

    def drafted(self) -> Iterator[Event]:
        yield OrderDrafted(**self._next(), customer_id=self._customer, currency="EUR")
        for line in LINES:
            yield LineAdded(**self._next(), line=line)

    def placed(self) -> Event:
        return OrderPlaced(
            **self._next(),
            customer_id=self._customer,
            lines=LINES,
            shipping=eur(490),
            tax=eur(665),
            total=eur(4755),
            payment_method=PaymentMethod.CREDIT_CARD,
            payment_token="tok_bench",  # noqa: S106
            address=HOME,
            note="",
        )

    def delivered(self) -> Iterator[Event]:
        yield OrderConfirmed(**self._next())
        shipment = ShipmentId(new_id())
        yield OrderShipped(
            **self._next(), shipment_id=shipment, lines=PORTIONS, carrier="DHL", tracking="0034", complete=True
        )
        yield OrderDelivered(**self._next(), shipment_id=shipment, complete=True)

    def cancelled(self) -> Iterator[Event]:
        said: dict[str, Any] = {
            "customer_id": self._customer,
            "reason": CancelReason.CUSTOMER,
            "asked_by": self._customer,
            "note": "",
        }
        yield CancellationRequested(**self._next(), **said)
        yield OrderCancelled(**self._next(), **said)

    def rejected(self) -> Event:
        return OrderRejected(**self._next(), customer_id=self._customer, reason=RejectReason.OUT_OF_STOCK, note="")


def history(story: Story, dice: random.Random) -> Iterator[Event]:
    """Of ten orders four began as a cart, seven are delivered, two cancelled, one rejected."""
    if dice.random() < 0.4:
        yield from story.drafted()
    yield story.placed()
    end = dice.random()
    if end < 0.7:
        yield from story.delivered()
    elif end < 0.9:
        yield from story.cancelled()
    else:
        yield story.rejected()


def orders(count: int, customers: list[UserId], dice: random.Random) -> Iterator[Event]:
    """`count` events of orders, mixed as a log mixes them."""
    under_way: list[Iterator[Event]] = []
    while count:
        while len(under_way) < UNDER_WAY:
            under_way.append(history(Story(OrderId(new_id()), dice.choice(customers), AT), dice))
        n = dice.randrange(UNDER_WAY)
        event = next(under_way[n], None)
        if event is None:
            under_way.pop(n)
            continue
        count -= 1
        yield event


def write(conninfo: str, events: Iterator[Event], mapper: EventMapper) -> None:
    """Into an empty log."""
    with psycopg.connect(conninfo) as connection, connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for position, e in enumerate(events, 1):
            place: tuple[UUID | int, ...] = (e.originator_id, e.originator_version)
            about = (new_id(), AT + timedelta(milliseconds=position), "bench", "service:bench")
            copy.write_row((*place, e.TOPIC, mapper.encode(e), position, *about))
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) orders.stored_events")
