"""What is looked for: words, and what they narrow it down to."""

from __future__ import annotations

from collections import Counter
from typing import Final

import strawberry

from domain.errors import InvalidValue
from projections.products.search import Prices, Search
from read_api.filters import as_uuid, optional, value_of
from read_api.products.where import PriceRange, in_range

MAX_ATTRIBUTES: Final = 20
MAX_VALUES: Final = 50
MAX_TEXT: Final = 200


@strawberry.input(description="A product has one of these values for the attribute.")
class AttributeIs:
    name: str = strawberry.field(description="The attribute's name.")
    in_: list[str] = strawberry.field(name="in", description="The values that will do, 50 at most.")


@strawberry.input(description="What products are looked for; all that is given must hold.")
class ProductSearchWhere:
    category_id: strawberry.ID | None = optional("They are in this category or below it.")
    price: PriceRange | None = optional("What the cheapest of their variants costs.")
    in_stock: bool | None = optional("True: some variant of them can be had. False: none of them can.")
    attributes: list[AttributeIs] | None = optional("Their attributes, each name once, 20 names at most.")


def searched(text: str, where: ProductSearchWhere | None) -> Search:
    """An explicit null is refused, as in every `where`. Raises InvalidValue, InvalidFilter."""
    most("text", len(text), MAX_TEXT, "characters")
    if not where:
        return Search(text)
    category, range = value_of(where, "category_id"), value_of(where, "price")
    return Search(
        text,
        category=as_uuid(category, "categoryId") if category is not None else None,
        prices=prices(range) if range else None,
        in_stock=value_of(where, "in_stock"),
        attributes=attributes(value_of(where, "attributes") or []),
    )


def prices(range: PriceRange) -> Prices:
    within = {c.operator: c.value for c in in_range(range)}
    return Prices(range.currency, within.get("gte", 0), within.get("lte"))


def attributes(wanted: list[AttributeIs]) -> dict[str, list[str]]:
    most("where.attributes", len(wanted), MAX_ATTRIBUTES, "names")
    for name, times in Counter(each.name for each in wanted).items():
        most(f"where.attributes.{name[:50]}", times, 1, "conditions")
    for each in wanted:
        most(f"where.attributes.{each.name[:50]}.in", len(each.in_), MAX_VALUES, "values")
    return {each.name: each.in_ for each in wanted}


def most(path: str, given: int, allowed: int, what: str) -> None:
    if given > allowed:
        raise InvalidValue(f"{path} has {given} {what}, at most {allowed} are allowed", path=f"searchProducts.{path}")
