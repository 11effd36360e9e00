from __future__ import annotations

from domain.ids import OrderId, payment_of
from tests.domain.orders.samples import ORDER, confirmed, placed
from tests.domain.payments.samples import CAPTURED
from tests.projections.stories import told
from tests.read_api.conftest import Api

ASKED = """query ($first: Date!, $last: Date!, $currencies: [String!]) {
    salesByDay(first: $first, last: $last, currencies: $currencies) {
        day currency placed { orders units amount { amount currency } } confirmed { orders } cancelled { orders }
        captured { amount }
    }
}"""
DAY = {"first": "2026-01-02", "last": "2026-01-02"}


async def test_staff_see_what_was_sold_on_a_day(api: Api) -> None:
    await api.has_seen("orders", told((placed, confirmed), ORDER))
    await api.has_seen("payments", told(CAPTURED, payment_of(OrderId(ORDER))))
    [day] = (await api.ask(ASKED, "staff", **DAY))["salesByDay"]
    assert day == {
        "day": "2026-01-02",
        "currency": "EUR",
        "placed": {"orders": 1, "units": 3, "amount": {"amount": 4155, "currency": "EUR"}},
        "confirmed": {"orders": 1},
        "cancelled": {"orders": 0},
        "captured": {"amount": 1000},
    }


async def test_only_the_days_and_currencies_asked_for_are_shown(api: Api) -> None:
    await api.has_seen("orders", told((placed,), ORDER))
    for more, days in (
        ({"currencies": ["EUR", "nonsense\x00"]}, 1),
        ({"currencies": ["JPY"]}, 0),
        ({"currencies": []}, 0),
        ({"first": "2026-01-03", "last": "2026-01-04"}, 0),
        ({"first": "2026-01-03", "last": "2026-01-01"}, 0),
    ):
        assert len((await api.ask(ASKED, "staff", **DAY | more))["salesByDay"]) == days


async def test_a_year_is_the_most_that_can_be_asked_for(api: Api) -> None:
    assert (await api.ask(ASKED, "staff", first="2025-01-02", last="2026-01-02"))["salesByDay"] == []
    error = await api.refused(ASKED, "staff", first="2025-01-01", last="2026-01-02")
    assert (error["extensions"]["code"], "at most 366" in error["message"]) == ("INVALID_VALUE", True)


async def test_sales_are_for_staff_only(api: Api) -> None:
    assert (await api.refused(ASKED, "customer", **DAY))["extensions"]["code"] == "FORBIDDEN"
