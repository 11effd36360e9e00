from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.orders.events import OrderPlaced
from domain.payments.events import CaptureFailed
from projections.sales.projector import Added, order_days, order_sales, payment_days, payment_sales
from tests.domain.orders.samples import (
    DELIVERED,
    WAYS_TO,
    cancel_pending,
    cancelled,
    confirmed,
    cup_added,
    drafted,
    expired,
    placed,
    rejected,
    tea_added,
    tea_returned,
)
from tests.domain.payments import samples as pay
from tests.projections.fakes import recorded
from tests.specification import Make

ORDER = pay.ORDER
TODAY = date(2026, 1, 2)
NIGHT = datetime(2026, 1, 3, 1, 30, tzinfo=timezone(timedelta(hours=9)))  # still the 2nd in UTC


def on(day: date, make: Make) -> Make:
    at = datetime.combine(day, datetime.min.time(), UTC)
    return lambda id, version: make(id, version).model_copy(update={"timestamp": at})


def row_after(projector: Any, *story: Make) -> Any:
    row = None
    for version, make in enumerate(story, 1):
        row = projector.apply(row, recorded(make(ORDER, version), version))
    return row


def orders(*story: Make) -> Added:
    return order_days(row_after(order_sales, *story))


def money(*story: Make) -> Added:
    return payment_days(row_after(payment_sales, *story))


def counted(units: int, amount: int, *names: str) -> Counter[str]:
    return Counter({f"{n}{what}": v for n in names for what, v in (("", 1), ("_units", units), ("_amount", amount))})


def test_an_order_counts_on_the_days_it_is_placed_and_confirmed() -> None:
    tomorrow = TODAY + timedelta(days=1)
    assert orders(placed, on(tomorrow, confirmed)) == {
        (TODAY, "EUR"): counted(3, 4155, "placed"),
        (tomorrow, "EUR"): counted(3, 4155, "confirmed"),
    }
    assert orders(placed, confirmed) == {(TODAY, "EUR"): counted(3, 4155, "placed", "confirmed")}


def test_a_draft_counts_when_it_is_placed() -> None:
    assert orders(drafted, tea_added, cup_added) == {}
    assert orders(drafted, tea_added, cup_added, placed) == {(TODAY, "EUR"): counted(3, 4155, "placed")}


def test_a_cart_that_is_given_up_is_no_cancelled_sale() -> None:
    assert orders(drafted, tea_added, cancelled) == {}


def test_what_came_of_an_order_counts_once() -> None:
    assert orders(placed, rejected) == {(TODAY, "EUR"): counted(3, 4155, "placed", "rejected")}
    assert orders(placed, expired) == {(TODAY, "EUR"): counted(3, 4155, "placed", "rejected")}
    assert orders(placed, cancel_pending) == {(TODAY, "EUR"): counted(3, 4155, "placed")}
    assert orders(placed, cancel_pending, cancelled) == {(TODAY, "EUR"): counted(3, 4155, "placed", "cancelled")}


def test_what_comes_back_counts_with_what_is_owed_for_it() -> None:
    day = orders(*DELIVERED, tea_returned)[TODAY, "EUR"]
    assert (day["returned"], day["returned_units"], day["returned_amount"]) == (1, 2, 2381)


def test_days_are_those_of_utc() -> None:
    def late(id: Any, version: int) -> Any:
        event = placed(id, version)
        assert isinstance(event, OrderPlaced)
        return event.model_copy(update={"timestamp": NIGHT})

    assert set(orders(late)) == {(TODAY, "EUR")}


def test_money_counts_on_the_day_we_hear_of_it() -> None:
    later = TODAY + timedelta(days=30)
    sums = money(*pay.CAPTURED, on(later, pay.part_refund_requested), on(later, pay.part_refunded))
    assert sums == {
        (TODAY, "EUR"): Counter(captured=1000, refunded=0, charged_back=0),
        (later, "EUR"): Counter(captured=0, refunded=300, charged_back=0),
    }


def test_what_the_gateway_takes_back_is_taken_off_the_day_it_says_so() -> None:
    later = TODAY + timedelta(days=1)
    taken_back = pay.told(CaptureFailed, 9, capture_id=pay.CAPTURE, code="reversed")
    sums = money(*pay.CAPTURED, on(later, taken_back))
    assert [day["captured"] for day in sums.values()] == [1000, -1000]


def test_a_payment_without_money_counts_on_no_day() -> None:
    assert money(pay.opened, pay.created, pay.declined) == {}


@given(st.sampled_from([*WAYS_TO.values()]), st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_an_order_is_placed_once_and_ends_at_most_once(story: Iterable[Make], days: list[int]) -> None:
    dated = [on(TODAY + timedelta(days=sum(days[:n])), make) for n, make in enumerate(story, 1)]
    total: Counter[str] = sum(orders(*dated).values(), Counter())
    assert total["placed"] <= 1
    assert total["rejected"] + total["cancelled"] <= total["placed"]
    assert total["confirmed"] <= total["placed"]


@given(st.sampled_from([*pay.WAYS_TO.values()]), st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_all_days_of_a_payment_come_to_its_sums(story: Iterable[Make], days: list[int]) -> None:
    dated = [on(TODAY + timedelta(days=sum(days[:n])), make) for n, make in enumerate(story, 1)]
    row = row_after(payment_sales, *dated)
    total: Counter[str] = Counter()
    for day in payment_days(row).values():
        total.update(day)
    assert total["captured"] == row.state.captured.amount
    assert total["refunded"] == row.state.refunded.amount
    assert total["charged_back"] == row.state.charged_back.amount
