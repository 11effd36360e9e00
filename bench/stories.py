"""What really happened to a few orders of a running shop, one for each way in which a checkout goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import httpx
import psycopg

from bench.shop import Shop, post
from domain.ids import OrderId, cancellation_of, checkout_of, new_id, payment_of

CONTEXTS: Final = ("orders", "payments", "sagas", "notifications")
"""Whose events are told again. Goods are left out: their streams are not an order's own."""
TOKENS: Final = {
    "done": "pm_card_visa",
    "rejected": "pm_card_chargeDeclined",
    "waiting": "pm_card_authenticationRequired",
    "stuck": "pm_card_captureFail",
    "cancelled": "pm_card_visa",
}
PATIENCE: Final = 60.0  # seconds for an order to come where it is wanted
TRIED_AGAIN: Final = 2
"""How often the stuck one is tried again: what happens then can be told any number of times."""

STORED: Final = """
SELECT '{0}', originator_id, originator_version, topic, state, event_id, recorded_at, correlation_id, causation_id,
    actor
FROM {0}.stored_events WHERE originator_id = ANY(%(streams)s) OR correlation_id = ANY(%(requests)s)
ORDER BY notification_id
"""
REQUESTS: Final = """
SELECT DISTINCT correlation_id FROM {}.stored_events WHERE originator_id = ANY(%(streams)s)
"""


class Told(NamedTuple):
    """A stored event."""

    context: str
    id: UUID
    version: int
    topic: str
    state: bytes
    event_id: UUID
    recorded_at: datetime
    correlation_id: str
    causation_id: UUID | None
    actor: str


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known of an order, in the order of time."""

    order: OrderId
    events: Sequence[Told]

    @property
    def saga(self) -> UUID:
        return checkout_of(payment_of(self.order))

    def of_saga(self) -> list[Told]:
        return [each for each in self.events if each.id == self.saga]

    def until(self, version: int) -> Story:
        """As far as it had come when its saga was at this version."""
        last = self.of_saga()[version - 1].recorded_at
        return Story(self.order, [each for each in self.events if each.recorded_at <= last])

    def after(self, version: int) -> Story:
        last = self.of_saga()[version - 1].recorded_at
        return Story(self.order, [each for each in self.events if each.recorded_at > last])


def happened(shop: Shop) -> Mapping[str, Story]:
    """By how it went."""
    post(shop.address, shop.staff, f"/v1/stock/{shop.order['lines'][0]['variantId']}/receive", {"quantity": 100})
    placed = {name: place(shop, token) for name, token in TOKENS.items()}
    for name in ("done", "rejected", "cancelled"):
        eventually(partial(has, shop, "ENDED", placed[name]))
    post(shop.address, shop.staff, f"/v1/orders/{placed['cancelled']}/cancel", {})
    eventually(partial(has, shop, "ENDED", placed["cancelled"], cancellation_of))
    get_stuck(shop, placed["stuck"])
    time.sleep(1)  # for the last mails
    with psycopg.connect(shop.database) as connection:
        return {name: story(connection, order) for name, order in placed.items()}


def place(shop: Shop, token: str) -> OrderId:
    id = OrderId(new_id())
    body = shop.order | {"id": str(id), "payment": {"method": "CREDIT_CARD", "token": token}}
    post(shop.address, shop.token, "/v1/orders", body)
    return id


def get_stuck(shop: Shop, order: OrderId) -> None:
    """Part of it is shipped when it turns out that the money cannot be had; and trying again does not help."""
    eventually(lambda: tried(shop, f"/v1/orders/{order}/ship", {"carrier": "DHL"}))
    eventually(lambda: has(shop, "STUCK", order) or not retry(shop, order))
    for _ in range(TRIED_AGAIN):
        retry(shop, order)
        eventually(partial(has, shop, "STUCK", order))


def retry(shop: Shop, order: OrderId) -> bool:
    path = f"/v1/sagas/{checkout_of(payment_of(order))}/retry"
    return tried(shop, path, {"reason": "again"}, seen(shop, order).get("version"))


def tried(shop: Shop, path: str, body: dict[str, Any], version: int | None = None) -> bool:
    headers = {"authorization": f"Bearer {shop.staff}", "idempotency-key": str(uuid4())}
    headers |= {"if-match": f'"{version}"'} if version else {}
    return httpx.post(shop.address + path, json=body, headers=headers).is_success


def has(shop: Shop, status: str, order: OrderId, saga: Callable[..., UUID] = checkout_of) -> bool:
    return seen(shop, order, saga).get("status") == status


def seen(shop: Shop, order: OrderId, saga: Callable[..., UUID] = checkout_of) -> dict[str, Any]:
    """What the command API says of the saga; nothing as long as there is none."""
    path = f"{shop.address}/v1/sagas/{saga(payment_of(order))}"
    answer = httpx.get(path, headers={"authorization": f"Bearer {shop.staff}"})
    found: dict[str, Any] = answer.json() if answer.is_success else {}
    return found


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("an order did not come where it was wanted")
        time.sleep(0.05)


def story(connection: psycopg.Connection, order: OrderId) -> Story:
    payment = payment_of(order)
    wanted: dict[str, Any] = {"streams": [order, payment, checkout_of(payment), cancellation_of(payment)]}
    found = (connection.execute(REQUESTS.format(name).encode(), wanted).fetchall() for name in CONTEXTS)
    wanted["requests"] = [request for requests in found for (request,) in requests]
    events = [
        Told(*row)
        for name in CONTEXTS
        for row in connection.execute(STORED.format(name).encode(), wanted).fetchall()
    ]  # fmt: skip
    return Story(order, sorted(events, key=lambda each: each.recorded_at))
