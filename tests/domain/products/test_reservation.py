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
    StockCommitted,
    StockReleased,
    StockReserved,
)
from domain.products.reservation import commit, hold, release, summed
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
