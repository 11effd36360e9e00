"""Typed conditions: `where: {field: {eq, in, gte, lte}}`. A field of a `where` input is named as its column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.actor import Actor
from projections.listing import Condition
from read_api.errors import InvalidFilter
from read_api.scalars import Long

T = TypeVar("T")

MAX_VALUES: Final = 100  # of one `in`


def optional(description: str, *, deprecated: str | None = None) -> Any:
    """A field of an input that may be left out; null is something else. `deprecated` says what to say instead."""
    return strawberry.field(default=UNSET, description=description, deprecation_reason=deprecated)


@strawberry.input
class Is(Generic[T]):
    """Filters are named and described where they are made of this; it is not in the graph itself."""

    eq: T | None = optional("It is this one.")


@strawberry.input
class OneOf(Is[T]):
    in_: list[T] | None = strawberry.field(name="in", default=UNSET, description="It is one of these.")


@strawberry.input(description="A condition that holds or does not.")
class BooleanFilter(Is[bool]):
    pass


@strawberry.input(description="Conditions on an id; all that are given must hold.")
class IdFilter(OneOf[strawberry.ID]):
    pass


@strawberry.input(description="Conditions on a text; all that are given must hold.")
class StringFilter(OneOf[str]):
    pass


@strawberry.input(description="Conditions on a time; all that are given must hold.")
class DateTimeFilter:
    gte: datetime | None = optional("It is this or more.")
    lte: datetime | None = optional("It is this or less.")


@strawberry.input(description="Conditions on a number; all that are given must hold.")
class LongFilter(Is[Long]):
    gte: Long | None = optional("It is this or more.")
    lte: Long | None = optional("It is this or less.")


def own(actor: Actor, column: str = "customer_id") -> list[Condition]:
    """What those who do not work here may see: what is theirs, as `column` says."""
    return [] if actor.in_charge else [Condition(column, "eq", actor.id)]


def conditions(where: Any) -> Iterator[Condition]:
    """The conditions of a `where` input, None for none. Raises InvalidFilter.

    An explicit null is refused: a forgotten variable must not turn a condition into none.
    """
    for column, filter in given(where):
        path = camel(column)
        if filter is None:
            raise InvalidFilter(path, "is null: leave it out or say what it must be")
        for name, value in given(filter):
            operator = name.rstrip("_")
            yield Condition(column, operator, comparable(value, f"{path}.{operator}", type(filter)))


def value_of(input: Any, column: str) -> Any:
    """What a `where` input says of this; None if nothing. Raises InvalidFilter for an explicit null."""
    value = getattr(input, column)
    if value is None:
        raise InvalidFilter(camel(column), "is null: leave it out or say what it must be")
    return None if value is UNSET else value


def given(input: Any) -> Iterator[tuple[str, Any]]:
    if input is not None and input is not UNSET:
        yield from ((f.name, v) for f in fields(input) if (v := getattr(input, f.name)) is not UNSET)


def comparable(value: Any, path: str, filter: type) -> Any:
    """The value as the database compares it."""
    if isinstance(value, list):
        if len(value) > MAX_VALUES:
            raise InvalidFilter(path, f"has {len(value)} values, at most {MAX_VALUES} are allowed", maximum=MAX_VALUES)
        return [comparable(one, path, filter) for one in value]
    if value is None:
        raise InvalidFilter(path, "is null: leave it out or give a value")
    if filter is IdFilter:
        return as_uuid(value, path)
    if isinstance(value, datetime) and value.tzinfo is None:
        raise InvalidFilter(path, "has no time zone: end it with Z or an offset such as +01:00")
    if isinstance(value, str) and "\x00" in value:
        raise InvalidFilter(path, "holds a NUL character")
    return value.value if isinstance(value, Enum) else value


def as_uuid(value: str, path: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise InvalidFilter(path, f"is {value[:50]!r}, which is no id") from None


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
