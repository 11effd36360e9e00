"""Stock: what may be received, counted, adjusted and held, and what is told when a threshold is crossed."""

from __future__ import annotations

from pydantic import TypeAdapter

from domain.errors import NotAllowedNow
from domain.products.errors import InsufficientStock, NotHeld, StockHeld, StockLimit
from domain.products.events import (
    StockAdjusted,
    StockCameBack,
    StockClosed,
    StockCommitted,
    StockCounted,
    StockRanLow,
    StockRanOut,
    StockReceived,
    StockReleased,
    StockReserved,
    ThresholdSet,
)
from domain.products.stock import Stock, adjust, close, commit, count, receive, release, reserve, set_threshold
from domain.products.value import AdjustReason
from domain.value import MAX_QUANTITY
from tests.domain.products.histories import HELD, MUG, ORDER, OTHER, STOCK, opened, received, reserved
from tests.specification import a

given = STOCK.given
low_at_3 = a(ThresholdSet, threshold=3)
closed = a(StockClosed, written_off=0)


def test_the_first_units_bring_it_in_stock():
    given(opened).when(receive, 5).then(a(StockReceived, quantity=5), a(StockCameBack, available=5))


def test_more_units_cross_nothing():
    given(opened, received(5)).when(receive, 5).then(a(StockReceived, quantity=5))


def test_more_than_a_stock_can_keep_is_refused():
    given(opened, received(5)).when(receive, MAX_QUANTITY).refused(StockLimit, maximum=MAX_QUANTITY)


def test_all_that_is_available_can_be_reserved():
    expected = a(StockReserved, reservation_id=OTHER, order_id=ORDER, quantity=3)
    given(opened, received(5), reserved(2)).when(reserve, OTHER, ORDER, 3).then(expected, a(StockRanOut))


def test_more_than_is_available_is_refused_and_told():
    refusal = given(opened, received(5), reserved(2)).when(reserve, OTHER, ORDER, 4).refused(InsufficientStock)
    assert refusal.facts == {"short": [{"variantId": str(MUG), "asked": 4, "available": 3}]}


def test_reserving_down_to_the_threshold_makes_it_low():
    given(opened, received(5), low_at_3).when(reserve, HELD, ORDER, 2).then(StockReserved, a(StockRanLow, available=3))


def test_low_is_told_only_on_crossing():
    given(opened, received(3), low_at_3).when(reserve, HELD, ORDER, 1).then(StockReserved)


def test_from_low_to_none_is_out():
    given(opened, received(3), low_at_3).when(reserve, HELD, ORDER, 3).then(StockReserved, StockRanOut)


def test_releasing_brings_it_back():
    gone = a(StockReleased, reservation_id=HELD, order_id=ORDER, quantity=5)
    given(opened, received(5), reserved(5)).when(release, HELD).then(gone, a(StockCameBack, available=5))


def test_committing_takes_the_units_and_leaves_availability_as_it_is():
    gone = a(StockCommitted, reservation_id=HELD, order_id=ORDER, quantity=2)
    given(opened, received(5), reserved(2)).when(commit, HELD).then(gone)


def test_what_is_not_held_can_be_neither_committed_nor_released():
    for decision in (commit, release):
        given(opened, received(5)).when(decision, HELD).refused(NotHeld)


def test_closed_holds_leave_the_state():
    gone = a(StockReleased, reservation_id=HELD, order_id=ORDER, quantity=2)
    assert not given(opened, received(5), reserved(2), gone).state.holds


def test_an_adjustment_below_what_is_held_is_refused():
    given(opened, received(5), reserved(4)).when(adjust, -2, AdjustReason.LOST).refused(StockHeld, left=3, held=4)


def test_an_adjustment_down_to_what_is_held_is_possible():
    lost = a(StockAdjusted, change=-1, reason=AdjustReason.LOST)
    given(opened, received(5), reserved(4)).when(adjust, -1, AdjustReason.LOST).then(lost, StockRanOut)


def test_an_adjustment_below_zero_is_refused():
    given(opened, received(5)).when(adjust, -6, AdjustReason.LOST).refused(StockHeld, left=-1)


def test_a_count_replaces_what_the_books_said():
    given(opened, received(5)).when(count, 7).then(a(StockCounted, counted=7, expected=5))


def test_a_count_below_what_is_held_is_refused():
    given(opened, received(5), reserved(4)).when(count, 3).refused(StockHeld, left=3, held=4)


def test_raising_the_threshold_may_make_it_low():
    given(opened, received(5)).when(set_threshold, 5).then(a(ThresholdSet, threshold=5), a(StockRanLow, available=5))


def test_setting_the_same_threshold_changes_nothing():
    given(opened, low_at_3).when(set_threshold, 3).then()


def test_it_closes_with_what_is_left_written_off():
    given(opened, received(5)).when(close).then(a(StockClosed, written_off=5))


def test_it_cannot_close_while_something_is_held():
    given(opened, received(5), reserved(1)).when(close).refused(StockHeld, held=1)


def test_a_closed_stock_does_nothing_more():
    after = given(opened, closed)
    after.when(receive, 1).refused(NotAllowedNow)
    after.when(adjust, 1, AdjustReason.FOUND).refused(NotAllowedNow)
    after.when(count, 0).refused(NotAllowedNow)
    after.when(set_threshold, 1).refused(NotAllowedNow)
    after.when(reserve, HELD, ORDER, 1).refused(NotAllowedNow)
    after.when(close).refused(NotAllowedNow)


def test_a_snapshot_of_it_reads_back_the_same():
    kept = TypeAdapter(Stock)
    state = given(opened, received(5), reserved(2), reserved(1, OTHER)).state
    assert kept.validate_json(kept.dump_json(state)) == state
    assert "holds" in kept.json_schema(mode="serialization")["properties"]
