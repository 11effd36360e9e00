"""What is looked for: words, and what they narrow it down to."""

from __future__ import annotations

from typing import Final

import strawberry
from strawberry import UNSET

from domain.errors import InvalidValue
from projections.products.search import Prices, Search
from read_api.filters import as_uuid, optional
from read_api.scalars import Long

MAX_ATTRIBUTES: Final = 20
MAX_VALUES: Final = 50
MAX_TEXT: Final = 200


@strawberry.input(description="The least price of a product's variants is in this currency and within these bounds.")
class PriceRange:
    currency: str = strawberry.field(description="ISO 4217 code.")
    gte: Long | None = optional("At least so much, in minor units.")
    lte: Long | None = optional("At most so much, in minor units.")


@strawberry.input(description="A product has one of these values for the attribute.")
class AttributeIs:
    name: str = strawberry.field(description="The attribute's name.")
    in_: list[str] = strawberry.field(name="in", description="The values that will do, 50 at most.")


@strawberry.input(description="What products are looked for; all that is given must hold.")
class ProductSearchWhere:
    category_id: strawberry.ID | None = optional("They are in this category or below it.")
    price: PriceRange | None = optional("What the cheapest of their variants costs.")
    in_stock: bool | None = optional("True: some variant of them can be had.")
    attributes: list[AttributeIs] | None = optional("Their attributes, 20 names at most.")


def searched(text: str, where: ProductSearchWhere | None) -> Search:
    """Raises InvalidValue, InvalidFilter."""
    most("text", len(text), MAX_TEXT, "characters")
    if not where:
        return Search(text)
    return Search(
        text,
        category=as_uuid(where.category_id, "categoryId") if where.category_id else None,
        prices=prices(where.price) if where.price else None,
        in_stock=where.in_stock is True,
        attributes=attributes(where.attributes or []),
    )


def prices(range: PriceRange) -> Prices:
    return Prices(range.currency, range.gte or 0, range.lte if range.lte is not UNSET else None)


def attributes(wanted: list[AttributeIs]) -> dict[str, list[str]]:
    most("where.attributes", len(wanted), MAX_ATTRIBUTES, "names")
    for each in wanted:
        most(f"where.attributes.{each.name[:50]}.in", len(each.in_), MAX_VALUES, "values")
    return {each.name: each.in_ for each in wanted}


def most(path: str, given: int, allowed: int, what: str) -> None:
    if given > allowed:
        raise InvalidValue(f"{path} has {given} {what}, at most {allowed} are allowed", path=f"searchProducts.{path}")
