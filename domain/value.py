"""Value objects and text that more than one context uses. JSON from outside is camelCase, what is stored snake_case."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel


def _clean(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text must not contain a NUL character")
    return text


Name = Annotated[str, StringConstraints(min_length=2, max_length=50, strip_whitespace=True), AfterValidator(_clean)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_clean)]
Note = Annotated[str, StringConstraints(min_length=0, max_length=2000, strip_whitespace=True), AfterValidator(_clean)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True), AfterValidator(_clean)]
Sku = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]

MAX_QUANTITY: Final = 1_000_000_000


class Value(BaseModel):
    """Base of value objects that occur both in messages and in events."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_alias=True, validate_by_name=True
    )


class Address(Value):
    """Where goods go. Always personal: fields of this type in events are `PersonalData[Address]`."""

    name: Name
    line1: Line
    line2: Line | None = None
    postal_code: Line
    city: Line
    region: Line | None = None
    country: CountryCode


class PaymentMethod(StrEnum):
    CREDIT_CARD = "CREDIT_CARD"
    DEBIT_CARD = "DEBIT_CARD"
    BANK_TRANSFER = "BANK_TRANSFER"
    WALLET = "WALLET"
