"""Where the orders of the sample shop stand."""

from __future__ import annotations

import pytest

from infra.demo.tally import Tally, place_of


@pytest.mark.parametrize(
    "status, place",
    [
        ("PLACED", "waiting"),
        ("CANCEL_PENDING", "waiting"),
        ("CONFIRMED", "confirmed"),
        ("DELIVERED", "confirmed"),
        ("REJECTED", "rejected"),
        ("EXPIRED", "rejected"),
        ("CANCELLED", "cancelled"),
        ("RETURNED", "returned"),
    ],
)
def test_an_order_stands_where_its_status_says(status, place):
    assert place_of(status, returned=False, stuck=False) == place


def test_a_piece_that_came_back_counts_as_returned_and_a_stuck_saga_as_waiting():
    assert place_of("DELIVERED", returned=True, stuck=False) == "returned"
    assert place_of("PARTIALLY_SHIPPED", returned=False, stuck=True) == "waiting"


def test_an_order_is_in_one_place_at_a_time():
    tally = Tally()
    where = tally.move(tally.place(), "confirmed")
    tally.place()
    tally.move(where, "returned")
    assert tally.counts() == {
        "placed": 2, "confirmed": 0, "rejected": 0, "cancelled": 0, "returned": 1, "waiting": 1, "refused": 0,
    }  # fmt: skip
