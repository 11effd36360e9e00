"""Which products are listed, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

import strawberry

from domain.actor import Actor
from domain.money import DECIMALS
from projections.listing import Condition, Ordering
from read_api.described import described
from read_api.errors import InvalidFilter
from read_api.filters import DateTimeFilter, IdFilter, LongFilter, OneOf, conditions, optional
from read_api.products.enums import ProductStatus
from read_api.scalars import Long


class ProductsOrderBy(Enum):
    CREATED_AT_ASC = Ordering("created_at")
    CREATED_AT_DESC = Ordering("created_at", descending=True)
    NAME_ASC = Ordering("name")
    NAME_DESC = Ordering("name", descending=True)
    PRICE_ASC = Ordering("min_price")
    PRICE_DESC = Ordering("min_price", descending=True)


described(
    ProductsOrderBy,
    "Orderings of products. The price is the least of a product's variants, and its minor units alone are compared: "
    "where there are several currencies, say in `where` which `price` is meant.",
    CREATED_AT_ASC="The oldest first.",
    CREATED_AT_DESC="The newest first.",
    NAME_ASC="By name, from A.",
    NAME_DESC="By name, from Z.",
    PRICE_ASC="The cheapest first.",
    PRICE_DESC="The dearest first.",
)


@strawberry.input(description="Conditions on a product's status.")
class ProductStatusFilter(OneOf[ProductStatus]):
    pass


@strawberry.input(description="The least price of a product's variants is in this currency and within these bounds.")
class PriceRange:
    currency: str = strawberry.field(description="ISO 4217 code.")
    gte: Long | None = optional("At least so much, in minor units.")
    lte: Long | None = optional("At most so much, in minor units.")


@strawberry.input(description="Conditions on products; all that are given must hold.")
class ProductsWhere:
    status: ProductStatusFilter | None = optional("Where it is in its life.")
    category_id: IdFilter | None = optional("The category it is in.")
    price: PriceRange | None = optional("The least price of its variants, in a currency.")
    min_price: LongFilter | None = optional(
        "The least price of its variants, in minor units of whatever currency.",
        deprecated="It holds 900 yen to be less than 10.00 euros: say `price`.",
    )
    created_at: DateTimeFilter | None = optional("When it was drafted.")


def columns(where: ProductsWhere | None) -> Iterator[Condition]:
    """The conditions, on the columns that answer them. Raises InvalidFilter."""
    for condition in conditions(where):
        yield in_its_column(condition) if condition.column == "price" else condition


def in_range(range: PriceRange) -> Iterator[Condition]:
    """Raises InvalidFilter."""
    return columns(ProductsWhere(price=range))


def in_its_column(condition: Condition) -> Condition:
    """Of a condition on a price: its amount is compared with the least price of a product."""
    if condition.operator != "currency":
        return replace(condition, column="min_price")
    if condition.value not in DECIMALS:
        known = ", ".join(sorted(DECIMALS))
        raise InvalidFilter("price.currency", f"is {condition.value[:10]!r}; known are {known}")
    return Condition("currency", "eq", condition.value)


def on_sale(actor: Actor) -> list[Condition]:
    """What those who do not work here may see."""
    return [] if actor.in_charge else [Condition("status", "eq", ProductStatus.ACTIVE)]
