"""Products, their variants, stock and categories in the graph."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.actor import Actor
from domain.errors import InvalidValue
from domain.products.product import ProductStatus
from domain.products.stock import StockStatus
from projections.listing import Condition, Ordering
from projections.products.queries import PRODUCTS, STOCK, categories_by_id, children_of, paths_to, stock_of, tree
from projections.products.row import CategoryRow, ProductRow, StockRow, VariantRow
from read_api.access import Public, computed, root
from read_api.connection import After, Before, Connection, First, Last, connection, paging
from read_api.context import Asked, Context
from read_api.filters import DateTimeFilter, IdFilter, LongFilter, conditions
from read_api.node import Node
from read_api.scalars import Long, Money, money, uuid_of

strawberry.enum(ProductStatus, name="ProductStatus", description="Where a product is in its life.")
strawberry.enum(StockStatus, name="StockStatus", description="How much is available, seen from afar.")


@strawberry.type(description="A name and its value: an attribute of a product, or a variant's value for an option.")
class Attribute:
    name: str
    value: str


@strawberry.type
class Image:
    url: str
    alt: str | None = strawberry.field(description="What is said where it cannot be seen.")


@strawberry.type(description="A price and since when it holds.")
class PriceSince:
    at: datetime
    price: Money


@strawberry.type(description="The stock of a variant. What is on hand and held is for staff only.")
class Stock:
    version: int
    updated_at: datetime
    status: StockStatus
    available: Long
    on_hand: Long | None
    reserved: Long | None = strawberry.field(description="Held for orders.")
    threshold: Long | None = strawberry.field(description="At so many available units and fewer it is low.")


@strawberry.type(description="A category on the way from the top.")
class CategoryStep:
    id: strawberry.ID
    name: str


@strawberry.type(description="A category of the one tree.")
class Category(Node):
    version: int = strawberry.field(description="The tree's version when this category last changed.")
    updated_at: datetime
    name: str
    parent_id: strawberry.ID | None = strawberry.field(description="Null at the top.")

    @computed("The category it is right below. Null at the top.")
    async def parent(self, info: Asked) -> Annotated[Category, strawberry.lazy("read_api.products")] | None:
        return await category_by_id(info.context, uuid_of(self.parent_id) if self.parent_id else None)

    @computed("The categories right below it, by name.")
    async def children(self, info: Asked) -> list[Annotated[Category, strawberry.lazy("read_api.products")]]:
        return [category(row) for row in await info.context.loader(children_of).load(UUID(self.id))]

    @computed("From the top down to the category itself.")
    async def path(self, info: Asked) -> list[CategoryStep]:
        steps = await info.context.loader(paths_to).load(UUID(self.id))
        return [CategoryStep(id=strawberry.ID(str(step.id)), name=step.name) for step in steps]


@strawberry.type(description="What is bought: one form of a product, with a SKU, a price and a stock of its own.")
class Variant(Node):
    sku: str
    values: list[Attribute] = strawberry.field(description="A value for each of the product's options.")
    price: Money
    price_history: list[PriceSince] = strawberry.field(description="Every price it ever had, oldest first.")
    product_row: strawberry.Private[ProductRow]

    @computed("The product it is a form of.")
    def product(self) -> Annotated[Product, strawberry.lazy("read_api.products")]:
        return product(self.product_row)

    @computed("What it cost at that moment. Null before it had a price.")
    def price_at(self, at: datetime) -> Money | None:
        if at.tzinfo is None:
            raise InvalidValue(
                "priceAt.at has no time zone: end it with Z or an offset such as +01:00", path="priceAt.at"
            )
        before = [since.price for since in self.price_history if since.at <= at]
        return before[-1] if before else None

    @computed("Null for a moment after the variant was made.")
    async def stock(self, info: Asked) -> Stock | None:
        row = await info.context.loader(stock_of).load(UUID(self.id))
        return stock(row, info.context.actor) if row else None


@strawberry.type(description="Something that is, was or will be sold.")
class Product(Node):
    version: int = strawberry.field(description="Counts its changes; the same number as in the command API's ETag.")
    updated_at: datetime
    status: ProductStatus
    name: str
    description: str
    attributes: list[Attribute]
    images: list[Image]
    options: list[str] = strawberry.field(description="In what its variants differ, such as `size`.")
    variants: list[Variant]
    min_price: Money | None = strawberry.field(description="The least price of its variants.")
    max_price: Money | None = strawberry.field(description="The greatest price of its variants.")
    created_at: datetime
    activated_at: datetime | None = strawberry.field(description="Since when, or when last, it was sold.")
    discontinued_at: datetime | None
    category_id: strawberry.ID | None

    @computed("Null without one, and when it was removed.")
    async def category(self, info: Asked) -> Category | None:
        if self.category_id is None:
            return None
        row = await info.context.loader(categories_by_id).load(UUID(self.category_id))
        return category(row) if row else None


@strawberry.enum(description="Orderings of products. The price is the least of a product's variants.")
class ProductsOrderBy(Enum):
    CREATED_AT_ASC = Ordering("created_at")
    CREATED_AT_DESC = Ordering("created_at", descending=True)
    NAME_ASC = Ordering("name")
    NAME_DESC = Ordering("name", descending=True)
    PRICE_ASC = Ordering("min_price")
    PRICE_DESC = Ordering("min_price", descending=True)


@strawberry.input(description="Conditions on a product's status.")
class ProductStatusFilter:
    eq: ProductStatus | None = UNSET
    in_: list[ProductStatus] | None = strawberry.field(name="in", default=UNSET)


@strawberry.input(description="Conditions on products; all that are given must hold.")
class ProductsWhere:
    status: ProductStatusFilter | None = UNSET
    category_id: IdFilter | None = UNSET
    min_price: LongFilter | None = strawberry.field(
        default=UNSET, description="The least price of its variants, in minor units."
    )
    created_at: DateTimeFilter | None = UNSET


@strawberry.type
class ProductsQuery:
    @root(Public, "One product. Null if there is none that you may see.")
    async def product(self, info: Asked, id: strawberry.ID) -> Product | None:
        return await product_by_id(info.context, uuid_of(id))

    @root(Public, "What is sold; for staff, all there is.")
    async def products(
        self,
        info: Asked,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        where: ProductsWhere | None = UNSET,
        order_by: ProductsOrderBy = ProductsOrderBy.CREATED_AT_DESC,
    ) -> Connection[Product]:
        context = info.context
        allowed = [*on_sale(context.actor), *conditions(where)]
        return await connection(context, PRODUCTS, allowed, order_by, paging(first, after, last, before), product)

    @root(Public, "One category. Null if there is none.")
    async def category(self, info: Asked, id: strawberry.ID) -> Category | None:
        return await category_by_id(info.context, uuid_of(id))

    @root(Public, "The whole tree, by name; there are 2,000 at most.")
    async def categories(self, info: Asked) -> list[Category]:
        return [category(row) for row in await tree(info.context.pool)]


async def product_by_id(context: Context, id: UUID | None) -> Product | None:
    row = await context.loader(PRODUCTS.each).load(id) if id else None
    return product(row) if row and may_see(row, context.actor) else None


def may_see(row: ProductRow, actor: Actor) -> bool:
    return row.status is ProductStatus.ACTIVE or actor.in_charge


async def variant_by_id(context: Context, id: UUID) -> Variant | None:
    """Its stock names its product."""
    row = await context.loader(STOCK.each).load(id)
    of = await product_by_id(context, row.product_id) if row else None
    return next((v for v in of.variants if v.id == str(id)), None) if of else None


async def category_by_id(context: Context, id: UUID | None) -> Category | None:
    row = await context.loader(categories_by_id).load(id) if id else None
    return category(row) if row else None


def on_sale(actor: Actor) -> list[Condition]:
    """What those who do not work here may see."""
    return [] if actor.in_charge else [Condition("status", "eq", ProductStatus.ACTIVE)]


def product(row: ProductRow) -> Product:
    currency = row.currency
    return Product(
        id=strawberry.ID(str(row.id)),
        version=row.version,
        updated_at=row.updated_at,
        status=row.status,
        name=row.name,
        description=row.description,
        attributes=attributes(row.attributes),
        images=[Image(url=image.url, alt=image.alt) for image in row.images],
        options=list(row.options),
        variants=[variant(v, row) for v in row.variants if v.removed_at is None],
        min_price=money(row.min_price, currency) if currency else None,
        max_price=money(row.max_price, currency) if currency else None,
        created_at=row.created_at,
        activated_at=row.activated_at,
        discontinued_at=row.discontinued_at,
        category_id=strawberry.ID(str(row.category_id)) if row.category_id else None,
    )


def variant(row: VariantRow, of: ProductRow) -> Variant:
    currency = of.currency
    assert currency is not None  # a product with variants has one
    return Variant(
        id=strawberry.ID(str(row.id)),
        sku=row.sku,
        values=attributes(row.values),
        price=money(row.price, currency),
        price_history=[PriceSince(at=since.at, price=money(since.amount, currency)) for since in row.prices],
        product_row=of,
    )


def attributes(values: Mapping[str, str]) -> list[Attribute]:
    return [Attribute(name=name, value=value) for name, value in values.items()]


def stock(row: StockRow, actor: Actor) -> Stock:
    """The stock as `actor` may see it."""
    staff = actor.in_charge
    return Stock(
        version=row.version,
        updated_at=row.updated_at,
        status=row.status,
        available=Long(row.available),
        on_hand=Long(row.on_hand) if staff else None,
        reserved=Long(row.reserved) if staff else None,
        threshold=Long(row.threshold) if staff else None,
    )


def category(row: CategoryRow) -> Category:
    return Category(
        id=strawberry.ID(str(row.id)),
        version=row.version,
        updated_at=row.updated_at,
        name=row.name,
        parent_id=strawberry.ID(str(row.parent_id)) if row.parent_id else None,
    )
