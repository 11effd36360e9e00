"""Whatever is shipped, delivered and returned in whatever portions: never more than there is, and the money adds up."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from domain.errors import DomainError
from domain.ids import OrderId, ReturnId, ShipmentId, VariantId
from domain.money import zero
from domain.orders.cart import Purchase, place
from domain.orders.events import Portion
from domain.orders.fulfilment import confirm, deliver, give_back, ship
from domain.orders.order import Order, Status, evolve
from domain.orders.quote import Item
from tests import full
from tests.domain.orders.samples import CUSTOMER, ORDER, STAFF, eur, item, portion, purchase
from tests.specification import as_list, fold

AT = datetime(2026, 3, 1, tzinfo=UTC)
VARIANTS = [VariantId(UUID(int=n)) for n in range(1, 4)]

Portions = tuple[Portion, ...]

lines = st.lists(
    st.builds(lambda v, q, p: item(v, q, eur(p)), st.sampled_from(VARIANTS), st.integers(1, 5), st.integers(0, 10_000)),
    min_size=1,
    max_size=4,
)
portions = st.lists(st.builds(portion, st.integers(1, 5), st.integers(1, 6)), max_size=3).map(tuple)
steps = st.lists(st.tuples(st.sampled_from(["ship", "deliver", "return"]), portions, st.booleans()), max_size=15)


@pytest.mark.full("orders")
@seed(full.seed())
@settings(max_examples=full.size(100, 4_000, suite="orders"), deadline=None)
@given(lines, st.integers(0, 2_000), st.integers(0, 9_000), steps)
def test_shipped_within_ordered_and_returned_within_delivered(
    items: list[Item], shipping: int, tax: int, steps: list[tuple[str, Portions, bool]]
) -> None:
    order = placed_and_confirmed(purchase(*items, shipping=shipping, tax=tax))
    assert order.total == order.goods + order.shipping + order.tax
    ids = (UUID(int=n) for n in count(100))
    for verb, wanted, all_of_it in steps:
        order = attempt(order, verb, () if all_of_it else wanted, next(ids))
        check(order)


def placed_and_confirmed(bought: Purchase) -> Order:
    order = evolve(None, place(OrderId(ORDER), CUSTOMER, bought, at=AT))
    confirmed = confirm(order, at=AT)
    assert confirmed
    return evolve(order, confirmed)


def attempt(order: Order, verb: str, wanted: Portions, id: UUID) -> Order:
    try:
        events = as_list(decide(order, verb, wanted, id))
    except DomainError:
        return order
    after: Order = fold(evolve, order, events)
    return after


def decide(order: Order, verb: str, wanted: Portions, id: UUID) -> Any:
    if verb == "ship":
        return ship(order, ShipmentId(id), wanted, "DHL", None, at=AT)
    if verb == "deliver":
        return deliver(order, order.shipments[0].id if wanted and order.shipments else None, at=AT)
    return give_back(order, ReturnId(id), wanted, asked_by=STAFF, note="Damaged", restock=True, at=AT)


def check(order: Order) -> None:
    assert order.returned <= order.delivered <= order.shipped <= order.ordered
    assert (order.status is Status.RETURNED) == (order.returned == order.ordered)
    if order.status is Status.DELIVERED:
        assert order.delivered == order.ordered
    refunds = sum((each.refund for each in order.returns), zero(order.currency))
    assert refunds <= order.total
    assert order.status is not Status.RETURNED or refunds == order.total
