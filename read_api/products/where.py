"""Which products are listed, and in which order."""

from __future__ import annotations

from enum import Enum

import strawberry

from domain.actor import Actor
from projections.listing import Condition, Ordering
from read_api.described import described
from read_api.filters import DateTimeFilter, IdFilter, LongFilter, OneOf, optional
from read_api.products.enums import ProductStatus


class ProductsOrderBy(Enum):
    CREATED_AT_ASC = Ordering("created_at")
    CREATED_AT_DESC = Ordering("created_at", descending=True)
    NAME_ASC = Ordering("name")
    NAME_DESC = Ordering("name", descending=True)
    PRICE_ASC = Ordering("min_price")
    PRICE_DESC = Ordering("min_price", descending=True)


described(
    ProductsOrderBy,
    "Orderings of products. The price is the least of a product's variants.",
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


@strawberry.input(description="Conditions on products; all that are given must hold.")
class ProductsWhere:
    status: ProductStatusFilter | None = optional("Where it is in its life.")
    category_id: IdFilter | None = optional("The category it is in.")
    min_price: LongFilter | None = optional("The least price of its variants, in minor units.")
    created_at: DateTimeFilter | None = optional("When it was drafted.")


def on_sale(actor: Actor) -> list[Condition]:
    """What those who do not work here may see."""
    return [] if actor.in_charge else [Condition("status", "eq", ProductStatus.ACTIVE)]
