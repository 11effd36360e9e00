"""Shipping and tax from their tables, in whole minor units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import MAX_AMOUNT, Money
from domain.orders.errors import CannotShip
from domain.value import Address
from infra.shipping import TableShipping
from infra.tax import STANDARD_RATES, TableTax


def money(amount: int, currency: str = "EUR") -> Money:
    return Money(amount=amount, currency=currency)


def to(country: str) -> Address:
    return Address(name="Ada", line1="Street 1", postal_code="1", city="City", country=country)


@pytest.mark.parametrize(
    "country, goods, cost",
    [("DE", 4_999, 490), ("DE", 5_000, 0), ("FR", 9_999, 990), ("FR", 10_000, 0), ("JP", 1_000_000, 2_490)],
)
def test_shipping_costs_by_zone_and_is_free_from_a_value_on(country: str, goods: int, cost: int) -> None:
    assert TableShipping().cost([(money(goods), 1)], to(country)) == money(cost)


def test_without_an_address_goods_stay_at_home() -> None:
    assert TableShipping("JP").cost([(money(1, "JPY"), 1)], None) == money(800, "JPY")
    assert TableShipping("JP").cost([(money(1, "JPY"), 1)], to("DE")) == money(4_000, "JPY")


def test_a_currency_without_rates_is_refused() -> None:
    with pytest.raises(CannotShip, match="no shipping rate in UYU"):
        TableShipping().cost([(money(1, "UYU"), 1)], None)


@pytest.mark.parametrize("net, tax", [(0, 0), (2, 0), (3, 1), (50, 10), (100, 19), (2_990, 568)])
def test_tax_is_rounded_once_a_half_up(net: int, tax: int) -> None:
    assert TableTax().tax(money(net), None) == money(tax)


def test_abroad_the_other_countrys_rate_counts_and_elsewhere_none() -> None:
    assert TableTax().tax(money(1000), to("HU")) == money(270)
    assert TableTax().tax(money(1000), to("US")) == money(0)


@given(st.integers(0, MAX_AMOUNT), st.sampled_from(sorted(STANDARD_RATES)))
def test_tax_is_exact_to_half_a_minor_unit(net: int, country: str) -> None:
    tax = TableTax().tax(money(net), to(country)).amount
    assert abs(tax * 10_000 - net * STANDARD_RATES[country]) <= 5_000
