"""Sales by day in the graph."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

import strawberry
from strawberry import UNSET

from domain.errors import InvalidValue
from domain.money import DECIMALS
from projections.sales.queries import sales_by_day
from projections.sales.row import DayRow
from read_api.access import Staff, root
from read_api.context import Asked
from read_api.scalars import Long, Money, money

MOST_DAYS: Final = 366


@strawberry.type(description="Orders of a day: how many, how many units in them, and what they come to.")
class Sold:
    orders: Long = strawberry.field(description="How many.")
    units: Long = strawberry.field(description="How many units were in them.")
    amount: Money = strawberry.field(description="What they came to.")


@strawberry.type(
    description="What was sold on a day, by UTC, in a currency. Everything counts on the day it was recorded."
)
class SalesDay:
    day: date = strawberry.field(description="The day, by UTC.")
    currency: str = strawberry.field(description="ISO 4217 code.")
    placed: Sold = strawberry.field(description="Orders that were placed.")
    confirmed: Sold = strawberry.field(description="Orders that were confirmed.")
    rejected: Sold = strawberry.field(description="By the shop, for want of stock or money, or because time ran out.")
    cancelled: Sold = strawberry.field(description="Orders that were cancelled.")
    returned: Sold = strawberry.field(description="Returns, what came back with them, and what is owed for it.")
    captured: Money = strawberry.field(description="Money that was taken.")
    refunded: Money = strawberry.field(description="Money that was given back.")
    charged_back: Money = strawberry.field(description="Money that banks took back.")


@strawberry.type
class SalesQuery:
    @root(Staff, "Sales of the days from `first` to `last`, both included, 366 at most; days without any are left out.")
    async def sales_by_day(
        self,
        info: Asked,
        first: Annotated[date, strawberry.argument(description="The first day.")],
        last: Annotated[date, strawberry.argument(description="The last day.")],
        currencies: Annotated[list[str] | None, strawberry.argument(description="Only these; ISO 4217.")] = UNSET,
    ) -> list[SalesDay]:
        days = (last - first).days + 1
        if days > MOST_DAYS:
            raise InvalidValue(
                f"last is {days} days from first: at most {MOST_DAYS} are allowed", path="salesByDay.last"
            )
        wanted = [code for code in currencies if code in DECIMALS] if isinstance(currencies, list) else None
        return [sales_day(row) for row in await sales_by_day(info.context.pool, first, last, wanted)]


def sales_day(row: DayRow) -> SalesDay:
    return SalesDay(
        day=row.day,
        currency=row.currency,
        placed=sold(row, "placed"),
        confirmed=sold(row, "confirmed"),
        rejected=sold(row, "rejected"),
        cancelled=sold(row, "cancelled"),
        returned=sold(row, "returned"),
        captured=money(row.captured, row.currency),
        refunded=money(row.refunded, row.currency),
        charged_back=money(row.charged_back, row.currency),
    )


def sold(row: DayRow, what: str) -> Sold:
    """The three columns that are named for it."""
    return Sold(
        orders=Long(getattr(row, what)),
        units=Long(getattr(row, f"{what}_units")),
        amount=money(getattr(row, f"{what}_amount"), row.currency),
    )
