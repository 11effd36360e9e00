"""Scalars and small types that everything uses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NewType
from uuid import UUID

import strawberry
from strawberry.schema.types.base_scalars import DateTimeDefinition
from strawberry.types.scalar import ScalarDefinition

from domain.value import Address as AddressValue

Id = Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(description="Their ids, 100 at most.")]

Long = NewType("Long", int)


def parse_long(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**53:
        raise ValueError(f"{value!r} is no whole number between -(2^53 - 1) and 2^53 - 1")
    return value


LONG: ScalarDefinition = strawberry.scalar(
    name="Long",
    description="A whole number of at most 53 bits, which every JSON reader keeps exact.",
    serialize=int,
    parse_value=parse_long,
)


def in_utc(at: datetime) -> str:
    """The database gives moments in the time zone of its session, which is nobody's business."""
    return at.astimezone(UTC).isoformat()


MOMENT: Final = replace(DateTimeDefinition, serialize=in_utc)


@strawberry.type(description="An amount in whole minor units (cents, yen) of a currency.")
class Money:
    amount: Long = strawberry.field(description="In minor units of the currency.")
    currency: str = strawberry.field(description="ISO 4217 code.")


@strawberry.type(description="A postal address.")
class Address:
    name: str = strawberry.field(description="Who lives there.")
    line1: str = strawberry.field(description="Street and number.")
    line2: str | None = strawberry.field(description="What else the postman has to know.")
    postal_code: str = strawberry.field(description="Postal code.")
    city: str = strawberry.field(description="City.")
    region: str | None = strawberry.field(description="State, province or prefecture.")
    country: str = strawberry.field(description="ISO 3166-1 code of two letters.")


def money(amount: int, currency: str) -> Money:
    return Money(amount=Long(amount), currency=currency)


def address(value: AddressValue | None) -> Address | None:
    return None if value is None else Address(**value.model_dump())


def id_of(id: UUID) -> strawberry.ID:
    return strawberry.ID(str(id))


def uuid_of(id: strawberry.ID) -> UUID | None:
    """The id, or None if it can be nobody's."""
    try:
        return UUID(id)
    except ValueError:
        return None
