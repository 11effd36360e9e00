"""Products, their variants and categories, and what hangs on them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.actor import Actor
from domain.errors import InvalidValue
from projections.products.queries import PRODUCTS, categories_by_id, children_of, paths_to, stock_of
from projections.products.row import CategoryRow, PriceRow, ProductRow, VariantRow
from read_api.access import computed
from read_api.actions import products as actions
from read_api.actions.judging import AvailableAction, judged
from read_api.connection import ORDERED, WHICH, Connection, Owner, connection
from read_api.context import Asked
from read_api.node import Node
from read_api.paging import Paged, Paging
from read_api.products.enums import ProductStatus
from read_api.products.parts import Attribute, CategoryStep, Image, PriceSince, Stock, attributes, stock
from read_api.products.where import ProductsOrderBy, ProductsWhere, columns, on_sale
from read_api.scalars import Money, id_of, money


@strawberry.type(description="A category of the one tree.")
class Category(Node):
    version: int = strawberry.field(description="The tree's version when this category last changed.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    name: str = strawberry.field(description="What it is called.")
    parent_id: strawberry.ID | None = strawberry.field(description="Null at the top.")

    @computed("The category it is right below. Null at the top.")
    async def parent(self, info: Asked) -> Annotated[Category, strawberry.lazy("read_api.products.nodes")] | None:
        row = await info.context.loader(categories_by_id).load(UUID(self.parent_id)) if self.parent_id else None
        return category(row) if row else None

    @computed("The categories right below it, by name.")
    async def children(self, info: Asked) -> list[Annotated[Category, strawberry.lazy("read_api.products.nodes")]]:
        return [category(row) for row in await info.context.loader(children_of).load(UUID(self.id))]

    @computed("From the top down to the category itself.")
    async def path(self, info: Asked) -> list[CategoryStep]:
        steps = await info.context.loader(paths_to).load(UUID(self.id))
        return [CategoryStep(id=id_of(step.id), name=step.name) for step in steps]

    @computed(
        "What is sold of this very category, for staff all there is. `searchProducts` finds what is below it too.",
        Paged(),
    )
    async def products(
        self,
        info: Asked,
        paging: Paging,
        where: Annotated[ProductsWhere | None, WHICH] = UNSET,
        order_by: Annotated[ProductsOrderBy, ORDERED] = ProductsOrderBy.CREATED_AT_DESC,
    ) -> Connection[Annotated[Product, strawberry.lazy("read_api.products.nodes")]]:
        context, owner = info.context, Owner("category_id", UUID(self.id))
        allowed = [*on_sale(context.actor), *columns(where)]
        return await connection(context, PRODUCTS, allowed, order_by, paging, product, owner)


@strawberry.type(description="What is bought: one form of a product, with a SKU, a price and a stock of its own.")
class Variant(Node):
    sku: str = strawberry.field(description="The shop's own code for it.")
    values: list[Attribute] = strawberry.field(description="A value for each of the product's options.")
    price: Money = strawberry.field(description="What it costs now.")
    price_history: list[PriceSince] = strawberry.field(
        description="Every price it ever had, oldest first; to customers those since the product was first sold."
    )
    of: strawberry.Private[Product]

    @computed("The product it is a form of.")
    def product(self) -> Annotated[Product, strawberry.lazy("read_api.products.nodes")]:
        return self.of

    @computed(
        "What it cost at that moment. Null before it had a price, for customers before the product was first sold."
    )
    def price_at(self, at: Annotated[datetime, strawberry.argument(description="The moment.")]) -> Money | None:
        if at.tzinfo is None:
            raise InvalidValue(
                "priceAt.at has no time zone: end it with Z or an offset such as +01:00", path="priceAt.at"
            )
        before = bisect_right(self.price_history, at, key=attrgetter("at"))
        return self.price_history[before - 1].price if before else None

    @computed("Null for a moment after the variant was made.")
    async def stock(self, info: Asked) -> Stock | None:
        row = await info.context.loader(stock_of).load(UUID(self.id))
        return stock(row, info.context.actor) if row else None


@strawberry.type(description="Something that is, was or will be sold.")
class Product(Node):
    version: int = strawberry.field(description="Counts its changes; the same number as in the command API's ETag.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    status: ProductStatus = strawberry.field(description="Where it is in its life.")
    name: str = strawberry.field(description="What it is called.")
    description: str = strawberry.field(description="What it is.")
    attributes: list[Attribute] = strawberry.field(description="What else is known about it.")
    images: list[Image] = strawberry.field(description="Pictures of it, the main one first.")
    options: list[str] = strawberry.field(description="In what its variants differ, such as `size`.")
    variants: list[Variant] = strawberry.field(description="What can be bought of it.")
    min_price: Money | None = strawberry.field(description="The least price of its variants.")
    max_price: Money | None = strawberry.field(description="The greatest price of its variants.")
    created_at: datetime = strawberry.field(description="When it was drafted.")
    activated_at: datetime | None = strawberry.field(description="Since when, or when last, it was sold.")
    discontinued_at: datetime | None = strawberry.field(description="Since when it is not sold any more.")
    category_id: strawberry.ID | None = strawberry.field(description="The category it is in.")
    row: strawberry.Private[ProductRow]

    @computed("What can be done to it, and why the rest cannot be done now; to customers what is for them.")
    def available_actions(self, info: Asked) -> list[AvailableAction]:
        return judged(actions.WAYS, actions.product_of(self.row), self.id, info.context.actor, info.context.permit)

    @computed("Null without one, and when it was removed.")
    async def category(self, info: Asked) -> Category | None:
        row = await info.context.loader(categories_by_id).load(UUID(self.category_id)) if self.category_id else None
        return category(row) if row else None


def may_see(row: ProductRow, actor: Actor) -> bool:
    return row.status is ProductStatus.ACTIVE or actor.in_charge


def product(row: ProductRow, actor: Actor) -> Product:
    """The product as `actor`, who may see it, may see it."""
    currency = row.currency
    made = Product(
        id=id_of(row.id),
        version=row.version,
        updated_at=row.updated_at,
        status=row.status,
        name=row.name,
        description=row.description,
        attributes=attributes(row.attributes),
        images=[Image(url=image.url, alt=image.alt) for image in row.images],
        options=list(row.options),
        variants=[],
        min_price=money(row.min_price, currency) if currency else None,
        max_price=money(row.max_price, currency) if currency else None,
        created_at=row.created_at,
        activated_at=row.activated_at,
        discontinued_at=row.discontinued_at,
        category_id=id_of(row.category_id) if row.category_id else None,
        row=row,
    )
    if currency:  # a product with variants has one
        made.variants = [variant(v, made, currency, actor) for v in row.variants if v.removed_at is None]
    return made


def variant(row: VariantRow, of: Product, currency: str, actor: Actor) -> Variant:
    known = prices(row, of.row, actor)
    return Variant(
        id=id_of(row.id),
        sku=row.sku,
        values=attributes(row.values),
        price=money(row.price, currency),
        price_history=[PriceSince(at=since.at, price=money(since.amount, currency)) for since in known],
        of=of,
    )


def prices(row: VariantRow, of: ProductRow, actor: Actor) -> Sequence[PriceRow]:
    """What it cost before the product was first sold is for staff: then begins what customers may know."""
    since = of.first_activated_at
    if actor.in_charge or since is None:
        return row.prices
    before = [price for price in row.prices if price.at <= since]
    return [*(replace(price, at=since) for price in before[-1:]), *row.prices[len(before) :]]


def category(row: CategoryRow) -> Category:
    return Category(
        id=id_of(row.id),
        version=row.version,
        updated_at=row.updated_at,
        name=row.name,
        parent_id=id_of(row.parent_id) if row.parent_id else None,
    )
