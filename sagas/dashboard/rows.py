"""Rows of read models for pages: one that cannot be read is shown as such, and hides none of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import from_json

from projections.listing import Condition, Listing, Mark, Ordering, Page, Statement
from projections.pool import Pool, connected
from projections.table import R
from sagas.dashboard.odd import Odd
from sagas.dashboard.visit import Refused

BETWEEN: Final = "~"


@dataclass(frozen=True, slots=True)
class Listed(Generic[R]):
    """Rows in order. `more`: there are others in the direction of paging."""

    rows: Sequence[R | Odd]
    more: bool


async def listed(
    pool: Pool, listing: Listing[R], where: Iterable[Condition], ordering: Ordering, page: Page
) -> Listed[R]:
    found = await read(pool, listing, listing.statement(where, ordering, page))
    more, rows = len(found) > page.size, found[: page.size]
    return Listed(rows[::-1] if page.backward else rows, more)


async def read(pool: Pool, listing: Listing[R], statement: Statement) -> list[R | Odd]:
    async with connected(pool) as connection:
        answer = await (await connection.execute(statement.query, statement.values)).fetchall()
    try:
        return list(listing.table.decoded(answer))
    except ValidationError:
        return [one(listing, text) for (text,) in answer]


def one(listing: Listing[R], text: str) -> R | Odd:
    try:
        (row,) = listing.table.decoded([(text,)])
    except ValidationError as error:
        found = from_json(text)
        places = ", ".join(".".join(map(str, problem["loc"][1:])) for problem in error.errors()[:3])
        return Odd(str(found.get("id", "")), f"it cannot be read: {places}", found)
    return row


async def by_id(pool: Pool, listing: Listing[R], id: UUID) -> R | Odd | None:
    """One row, for a page of its own."""
    found = await read(pool, listing, listing.statement([Condition("id", "eq", id)], Ordering("id"), Page(1)))
    return found[0] if found else None


# -- a place in a list, as it stands in an address ---------------------------------------------------------------------


def place(value: datetime, id: UUID) -> str:
    return f"{value.isoformat()}{BETWEEN}{id}"


def mark_of(row: Any, column: str) -> Mark | None:
    """Where a row is in a list by a column of times, also one that cannot be read; None where not even these can be."""
    if not isinstance(row, Odd):
        return Mark(getattr(row, column), row.id)
    try:
        return Mark(datetime.fromisoformat(row.found[column]), UUID(row.id))
    except (KeyError, TypeError, ValueError):
        return None


def mark(text: str | None) -> Mark | None:
    """Raises Refused for what is no place."""
    if text is None:
        return None
    at, _, id = text.partition(BETWEEN)
    try:
        return Mark(datetime.fromisoformat(at), UUID(id))
    except ValueError:
        raise Refused(400, "This address is not complete", f"{text!r} is no place in a list.") from None


def page(size: int, after: str | None, before: str | None) -> Page:
    """What lies behind one place, or before another."""
    return Page(size, backward=before is not None, after=mark(after), before=mark(before))
