from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.event import Event
from projections.feed import Recorded
from projections.folding import Rows
from projections.orders.projector import ORDERS, orders
from projections.orders.row import OrderRow
from tests.projections.fakes import folded as fold_all
from tests.projections.fakes import recorded
from tests.projections.stories import logs


def folded(batches: Sequence[Sequence[Recorded]]) -> dict[UUID, OrderRow]:
    """The rows after these batches, each folded into what the ones before it left."""
    stored: Rows = {orders: {}}
    for batch in batches:
        for projector, changed in fold_all(ORDERS, batch, stored).items():
            stored[projector] |= changed
    return stored[orders]


def on_a_log(events: Sequence[Event]) -> list[Recorded]:
    return [recorded(event, position) for position, event in enumerate(events, 1)]


@given(logs, st.lists(st.integers(1, 10)))
def test_any_batching_gives_the_same_rows(events: list[Event], sizes: list[int]) -> None:
    log = on_a_log(events)
    cuts = [0, *sorted(min(sum(sizes[:n]), len(log)) for n in range(1, len(sizes) + 1)), len(log)]
    batches = [log[a:b] for a, b in pairwise(cuts)]
    assert folded(batches) == folded([log])


@given(logs, st.data())
def test_redelivery_changes_nothing(events: list[Event], data: Any) -> None:
    log = on_a_log(events)
    upto = data.draw(st.integers(0, len(log)))
    again = data.draw(st.integers(0, upto))
    assert folded([log[:upto], log[again:upto], log[again:]]) == folded([log])


@given(logs)
def test_a_row_has_the_version_of_its_stream(events: list[Event]) -> None:
    versions = {e.originator_id: e.originator_version for e in events}
    assert {id: row.version for id, row in folded([on_a_log(events)]).items()} == versions
