"""Amounts and dates as people of a locale write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from domain.money import DECIMALS, Money

SIGNS: Final = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def amount(money: Money, locale: str) -> str:
    """`€1,234.56`, or `CHF 1,234.56`; in Japanese yen are `1,234円`."""
    digits = number(money)
    if locale == "ja" and money.currency == "JPY":
        return f"{digits}円"
    sign = SIGNS.get(money.currency)
    return f"{sign}{digits}" if sign else f"{money.currency}\N{NO-BREAK SPACE}{digits}"


def number(money: Money) -> str:
    """In whole arithmetic: no amount is ever a float."""
    decimals = DECIMALS[money.currency]
    whole, part = divmod(money.amount, 10**decimals)
    return f"{whole:,}.{part:0{decimals}}" if decimals else f"{whole:,}"


def date(at: datetime, locale: str) -> str:
    """The day, in UTC."""
    at = at.astimezone(UTC)
    if locale == "ja":
        return f"{at.year}年{at.month}月{at.day}日"
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def moment(at: datetime, locale: str) -> str:
    """The day and the minute, in UTC."""
    return f"{date(at, locale)} {at.astimezone(UTC):%H:%M} UTC"
