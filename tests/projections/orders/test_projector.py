from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from domain.event import ERASED
from domain.orders.events import CancelReason
from domain.orders.order import Status, evolve
from projections.model import CannotApply
from projections.orders.projector import orders
from projections.orders.row import OrderRow
from tests.domain.orders.samples import (
    CANCELLATION,
    CHECKOUT,
    CUSTOMER,
    HOME,
    ORDER,
    WAYS_TO,
    cancel_pending,
    cancelling,
    confirmed,
    cup_added,
    drafted,
    order,
    placed,
    released,
    tea_added,
    tea_changed,
    tea_delivered,
    tea_removed,
    tea_returned,
    tea_shipped,
)
from tests.projections.fakes import recorded
from tests.specification import AT, Make

BY = f"user:{CUSTOMER}"


def worker(*story: Make) -> tuple[UUID | None, str | None]:
    row = row_after(*story)
    return row.saga_id, row.saga_process


def row_after(*story: Make, **changes: Any) -> OrderRow:
    row = None
    for version, make in enumerate(story, 1):
        event = make(ORDER, version)
        replaced = {name: value for name, value in changes.items() if name in type(event).model_fields}
        row = orders.apply(row, recorded(event.model_copy(update=replaced), version, BY))
    assert row is not None
    return row


@pytest.mark.parametrize("story", WAYS_TO.values(), ids=list(WAYS_TO))
def test_the_row_agrees_with_the_aggregate(story: Sequence[Make]) -> None:
    state: Any = None
    for version, make in enumerate(story, 1):
        state = evolve(state, make(ORDER, version))  # type: ignore[arg-type]
    row = row_after(*story)
    assert (row.id, row.version, row.status) == (state.id, state.version, state.status)
    assert [(line.number, line.quantity) for line in row.lines] == list(state.ordered.items())
    assert {line.number: line.shipped for line in row.lines if line.shipped} == state.shipped
    assert {line.number: line.delivered for line in row.lines if line.delivered} == state.delivered
    assert {line.number: line.returned for line in row.lines if line.returned} == state.returned


def test_a_draft_adds_up_as_it_is_filled() -> None:
    assert row_after(drafted, tea_added, cup_added).total == 3000
    assert row_after(drafted, tea_added, cup_added, tea_changed).total == 4000
    assert row_after(drafted, tea_added, cup_added, tea_removed).total == 1000


def test_a_placed_draft_keeps_when_it_was_begun() -> None:
    row = row_after(drafted, tea_added, cup_added, placed)
    assert (row.created_at, row.placed_at, row.total, row.address) == (AT, AT, 4155, HOME)


def test_every_change_is_on_the_timeline_with_its_actor_and_reason() -> None:
    row = row_after(placed, confirmed, cancel_pending)
    assert [(e.version, e.event, e.actor, e.status) for e in row.timeline] == [
        (1, "orders.order-placed", BY, Status.PLACED),
        (2, "orders.order-confirmed", BY, Status.CONFIRMED),
        (3, "orders.cancellation-requested", BY, Status.CANCEL_PENDING),
    ]
    assert (row.timeline[2].reason, row.timeline[2].note) == (CancelReason.CUSTOMER, "Too late")


def test_shipments_say_when_they_left_and_arrived() -> None:
    row = row_after(placed, confirmed, tea_shipped, tea_delivered, tea_returned)
    assert [(s.carrier, s.shipped_at, s.delivered_at) for s in row.shipments] == [("DHL", AT, AT)]
    assert [(r.refund, r.returned_at, r.restock) for r in row.returns] == [(2381, AT, True)]


def test_an_order_names_the_saga_that_works_it_while_one_does() -> None:
    assert worker(drafted, tea_added) == (None, None)
    assert worker(drafted, tea_added, placed) == (CHECKOUT, "checkout")
    assert worker(placed, confirmed, released) == (None, None)
    assert worker(placed, confirmed, released, cancel_pending, cancelling) == (CANCELLATION, "cancellation")


@pytest.mark.parametrize("story", WAYS_TO.values(), ids=list(WAYS_TO))
def test_the_row_names_the_same_saga_as_the_aggregate(story: Sequence[Make]) -> None:
    assert worker(*story)[0] == order.given(*story).state.saga


def test_what_is_erased_is_null() -> None:
    row = row_after(placed, confirmed, cancel_pending, address=ERASED, note=ERASED)
    assert (row.address, row.note, row.timeline[2].note) == (None, None, None)


def test_an_event_before_the_first_is_not_applied() -> None:
    with pytest.raises(CannotApply, match="no row yet"):
        orders.apply(None, recorded(confirmed(UUID(int=1), 2), 1))
