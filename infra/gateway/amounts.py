"""Sums as Stripe wants them: its minor units are not everywhere those of ISO 4217 (docs.stripe.com/currencies)."""

from __future__ import annotations

from typing import Final

from domain.money import DECIMALS, Money

AS_IF_HUNDREDTHS: Final = frozenset({"ISK"})
"""Have no minor unit any more, but are sent with two zeros for the sake of old callers."""


class NotSendable(Exception):
    """Stripe would refuse this amount: says why."""


def to_stripe(money: Money) -> int:
    """Raises NotSendable."""
    if DECIMALS[money.currency] == 3 and money.amount % 10:
        raise NotSendable(f"{money}: an amount in {money.currency} must have 0 as its third decimal")
    return money.amount * 100 if money.currency in AS_IF_HUNDREDTHS else money.amount


def from_stripe(amount: int, currency: str) -> Money:
    """Raises ValueError for a currency that Chobo has not, or a part of a unit where there is none."""
    currency = currency.upper()
    if currency not in AS_IF_HUNDREDTHS:
        return Money(amount=amount, currency=currency)
    whole, part = divmod(amount, 100)
    if part:
        raise ValueError(f"{amount} of {currency} is not a whole number of units")
    return Money(amount=whole, currency=currency)


TRANSFERS: Final = {
    "EUR": "eu_bank_transfer",
    "GBP": "gb_bank_transfer",
    "JPY": "jp_bank_transfer",
    "MXN": "mx_bank_transfer",
    "USD": "us_bank_transfer",
}


def transfer_type(currency: str) -> str:
    """Stripe's kind of bank transfer in this currency. Raises NotSendable."""
    if currency not in TRANSFERS:
        raise NotSendable(f"there are no bank transfers in {currency}, only in {', '.join(TRANSFERS)}")
    return TRANSFERS[currency]
