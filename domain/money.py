"""Money is whole minor units and a currency; there is no float anywhere near it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from domain.errors import DomainError, Kind

MAX_AMOUNT: Final = 9_007_199_254_740_991
"""2^53 - 1: the largest whole number that every JSON reader keeps exact."""

DECIMALS: Final[dict[str, int]] = {
    "AED": 2, "ARS": 2, "AUD": 2, "BGN": 2, "BHD": 3, "BRL": 2, "CAD": 2, "CHF": 2, "CLP": 0, "CNY": 2,
    "COP": 2, "CZK": 2, "DKK": 2, "EGP": 2, "EUR": 2, "GBP": 2, "HKD": 2, "HUF": 2, "IDR": 2, "ILS": 2,
    "INR": 2, "ISK": 0, "JOD": 3, "JPY": 0, "KES": 2, "KRW": 0, "KWD": 3, "MAD": 2, "MXN": 2, "MYR": 2,
    "NGN": 2, "NOK": 2, "NZD": 2, "OMR": 3, "PEN": 2, "PHP": 2, "PKR": 2, "PLN": 2, "QAR": 2, "RON": 2,
    "RSD": 2, "SAR": 2, "SEK": 2, "SGD": 2, "THB": 2, "TND": 3, "TRY": 2, "TWD": 2, "UAH": 2, "USD": 2,
    "UYU": 2, "VND": 0, "ZAR": 2,
}  # fmt: skip
"""Currency -> decimals of its minor unit, from ISO 4217 list one."""


class CurrencyMismatch(DomainError):
    code = "CURRENCY_MISMATCH"
    title = "Two currencies cannot be added or compared"
    kind = Kind.INVALID

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other} cannot be added or compared", currencies=[one, other])


class AmountTooLarge(DomainError):
    code = "AMOUNT_TOO_LARGE"
    title = "An amount is beyond what can be kept exactly"
    kind = Kind.INVALID

    def __init__(self, currency: str) -> None:
        super().__init__(f"an amount in {currency} went beyond {MAX_AMOUNT} minor units", maximum=MAX_AMOUNT)


def _listed(schema: dict[str, Any]) -> None:
    """In JSON Schema a list says more than a pattern; validating by a pattern is quicker."""
    del schema["pattern"]
    schema["enum"] = sorted(DECIMALS)


Currency = Annotated[str, Field(pattern=f"^({'|'.join(sorted(DECIMALS))})$", json_schema_extra=_listed)]
Amount = Annotated[int, Field(ge=0, le=MAX_AMOUNT)]


class Money(BaseModel, frozen=True, extra="forbid"):
    """An amount in whole minor units (cents, yen) of a currency; never negative."""

    amount: Amount
    currency: Currency

    def __add__(self, other: Money) -> Money:
        return self._with(self.amount + self._same(other))

    def __sub__(self, other: Money) -> Money:
        """Raises ValueError when the result would be negative: compare first."""
        if (rest := self.amount - self._same(other)) < 0:
            raise ValueError(f"{self} - {other} would be negative")
        return self._with(rest)

    def __mul__(self, times: int) -> Money:
        return self._with(self.amount * times)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        places = DECIMALS[self.currency]
        if not places:
            return f"{self.amount} {self.currency}"
        whole, part = divmod(self.amount, 10**places)
        return f"{whole}.{part:0{places}d} {self.currency}"

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return other.amount

    def _with(self, amount: int) -> Money:
        if amount > MAX_AMOUNT:
            raise AmountTooLarge(self.currency)
        return Money(amount=amount, currency=self.currency)


def zero(currency: str) -> Money:
    return Money(amount=0, currency=currency)
