"""What shipping costs, from a table: a flat rate by zone and currency, free from a value of goods on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, NamedTuple

from domain.money import Money, zero
from domain.orders.errors import CannotShip
from domain.value import Address


class Zone(Enum):
    HOME = "home"
    NEAR = "near"
    FAR = "far"


class Rate(NamedTuple):
    """In minor units: the flat cost, and the value of goods from which on it is nothing (None: never)."""

    flat: int
    free_from: int | None


EUROPE: Final = frozenset({
    "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU",
    "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip

ACROSS: Final = (Rate(490, 5_000), Rate(990, 10_000), Rate(2_490, None))
"""Home, near, far, in a currency whose unit is about a euro."""

RATES: Final[Mapping[str, tuple[Rate, Rate, Rate]]] = {
    **dict.fromkeys(("EUR", "USD", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD"), ACROSS),
    "JPY": (Rate(800, 8_000), Rate(1_600, 16_000), Rate(4_000, None)),
    "KRW": (Rate(7_000, 70_000), Rate(14_000, 140_000), Rate(36_000, None)),
    "CNY": (Rate(3_500, 35_000), Rate(7_000, 70_000), Rate(18_000, None)),
    "INR": (Rate(40_000, 400_000), Rate(80_000, 800_000), Rate(200_000, None)),
    **dict.fromkeys(("SEK", "NOK", "DKK"), (Rate(4_900, 50_000), Rate(9_900, 100_000), Rate(24_900, None))),
    "PLN": (Rate(1_990, 20_000), Rate(3_990, 40_000), Rate(9_990, None)),
    "CZK": (Rate(11_900, 120_000), Rate(24_900, 250_000), Rate(59_900, None)),
}


class TableShipping:
    """`home` is the shop's own country, and the one assumed without an address."""

    def __init__(self, home: str = "DE") -> None:
        self._home = home

    def cost(self, lines: Sequence[tuple[Money, int]], address: Address | None) -> Money:
        """Raises CannotShip for a currency without rates, CurrencyMismatch, AmountTooLarge."""
        currency = lines[0][0].currency
        goods = sum((price * quantity for price, quantity in lines), zero(currency))
        rate = self._rate(currency, address.country if address else self._home)
        free = rate.free_from is not None and goods.amount >= rate.free_from
        return zero(currency) if free else Money(amount=rate.flat, currency=currency)

    def _rate(self, currency: str, country: str) -> Rate:
        if currency not in RATES:
            raise CannotShip(currency, RATES)
        home, near, far = RATES[currency]
        return {Zone.HOME: home, Zone.NEAR: near, Zone.FAR: far}[self._zone(country)]

    def _zone(self, country: str) -> Zone:
        if country == self._home:
            return Zone.HOME
        return Zone.NEAR if {country, self._home} <= EUROPE else Zone.FAR
