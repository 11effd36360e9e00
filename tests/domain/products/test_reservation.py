"""Reservations: every line of an order or none, over any number of stocks."""

from __future__ import annotations

from collections.abc import Callable

from domain.errors import NotAllowedNow
from domain.ids import VariantId
from domain.products import stock
from domain.products.errors import InsufficientStock
from domain.products.events import (
    ReservationCommitted,
    ReservationHeld,
    ReservationReleased,
    ReservationReturned,
    StockCameBack,
    StockClosed,
    StockCommitted,
    StockReleased,
    StockReserved,
    StockReturned,
)
from domain.products.reservation import commit, hold, put_back, release, summed
from domain.products.stock import Stock
from tests.domain.products.histories import (
    HELD,
    LARGE,
    MUG,
    ORDER,
    RESERVATION,
    SMALL,
    held,
    line,
    opened,
    received,
    reserved,
)
from tests.specification import AT, Make, Specification, a

given = RESERVATION.given
committed = a(ReservationCommitted, order_id=ORDER)
released = a(ReservationReleased, order_id=ORDER)


def warehouse(**histories: tuple[Make, ...]) -> Callable[[VariantId], Stock]:
    ids = {"small": SMALL, "large": LARGE, "mug": MUG}
    found = {ids[name]: Specification(ids[name], stock.evolve).given(*h).state for name, h in histories.items()}
    return found.__getitem__


back = a(ReservationReturned, order_id=ORDER, written_off=())
full = warehouse(small=(opened, received(9)), large=(opened, received(9)))
holding = warehouse(small=(opened, received(9), reserved(2)), large=(opened, received(9), reserved(1)))


def test_all_lines_are_held_at_once():
    events = hold(HELD, ORDER, [line(SMALL, 2), line(LARGE, 1)], full, at=AT)
    assert [(type(e), e.originator_id) for e in events] == [
        (ReservationHeld, HELD),
        (StockReserved, SMALL),
        (StockReserved, LARGE),
    ]


def test_one_short_line_refuses_all_and_every_short_line_is_named():
    empty = warehouse(small=(opened, received(1)), large=(opened,), mug=(opened, received(5)))
    lines = [line(SMALL, 2), line(LARGE, 1), line(MUG, 5)]
    refusal = (
        RESERVATION.given().when(lambda _, *, at: hold(HELD, ORDER, lines, empty, at=at)).refused(InsufficientStock)
    )
    assert refusal.facts["short"] == [
        {"variantId": str(SMALL), "asked": 2, "available": 1},
        {"variantId": str(LARGE), "asked": 1, "available": 0},
    ]


def test_the_same_variant_on_two_lines_is_summed():
    assert summed([line(SMALL, 2), line(LARGE, 1), line(SMALL, 3)]) == (line(SMALL, 5), line(LARGE, 1))


def test_committing_takes_every_line_out():
    given(held).when(commit, holding).then(committed, StockCommitted, StockCommitted)


def test_releasing_gives_every_line_back():
    given(held).when(release, holding).then(released, StockReleased, StockReleased)


def test_asking_twice_changes_nothing():
    given(held, committed).when(commit, full).then()
    given(held, released).when(release, full).then()


def test_what_left_the_house_cannot_be_released():
    given(held, committed).when(release, full).refused(NotAllowedNow, status="COMMITTED")


def test_what_was_given_back_cannot_be_committed():
    given(held, released).when(commit, full).refused(NotAllowedNow, status="RELEASED")


def test_putting_back_what_is_held_releases_it():
    given(held).when(put_back, holding).then(released, StockReleased, StockReleased)


def test_putting_back_what_left_the_house_brings_it_on_hand_again():
    emptied = warehouse(small=(opened, received(2), reserved(2), gone(2)), large=(opened, received(9)))
    small, large = (a(StockReturned, order_id=ORDER, quantity=n) for n in (2, 1))
    given(held, committed).when(put_back, emptied).then(back, small, a(StockCameBack, available=2), large)


def test_what_is_back_is_put_back_once():
    given(held, committed, back).when(put_back, full).then()
    given(held, released).when(put_back, full).then()


def test_what_is_back_can_be_neither_committed_nor_released():
    for decision in (commit, release):
        given(held, committed, back).when(decision, full).refused(NotAllowedNow, status="RETURNED")


def test_units_of_a_variant_that_is_gone_since_are_written_off():
    closed = warehouse(small=(opened, received(9)), large=(opened, a(StockClosed, written_off=0)))
    expected = a(ReservationReturned, order_id=ORDER, written_off=(line(LARGE, 1),))
    given(held, committed).when(put_back, closed).then(expected, a(StockReturned, order_id=ORDER, quantity=2))


def gone(quantity: int) -> Make:
    return a(StockCommitted, reservation_id=HELD, order_id=ORDER, quantity=quantity)
