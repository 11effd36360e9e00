"""Products, their variants, stock and categories in the graph."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated, Final
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.actor import Actor
from domain.errors import InvalidValue
from domain.products.product import ProductStatus
from domain.products.stock import StockStatus
from projections.listing import Condition, Ordering
from projections.products.projector import PRODUCTS as MODEL
from projections.products.projector import products as projector
from projections.products.queries import PRODUCTS, STOCK, categories_by_id, children_of, paths_to, stock_of, tree
from projections.products.row import CategoryRow, ProductRow, StockRow, VariantRow
from read_api.access import Public, computed, root
from read_api.actions import products as actions
from read_api.actions.judging import AvailableAction, judged
from read_api.connection import ORDERED, WHICH, After, Before, Connection, First, Last, connection, paging
from read_api.context import Asked, Context
from read_api.described import described
from read_api.filters import DateTimeFilter, IdFilter, LongFilter, conditions
from read_api.history import AsOf, Kind, When, row_of
from read_api.node import Node
from read_api.scalars import Id, Long, Money, money, uuid_of

PRODUCT: Final = Kind("products", MODEL, projector, PRODUCTS)

described(
    ProductStatus,
    "Where a product is in its life.",
    DRAFT="It is not sold yet.",
    ACTIVE="It is sold.",
    DISCONTINUED="It is not sold any more.",
)
described(
    StockStatus,
    "How much is available, seen from afar.",
    IN_STOCK="Enough.",
    LOW="At or below its threshold.",
    OUT_OF_STOCK="None.",
    CLOSED="The variant was removed.",
)


@strawberry.type(description="A name and its value: an attribute of a product, or a variant's value for an option.")
class Attribute:
    name: str = strawberry.field(description="The name.")
    value: str = strawberry.field(description="The value.")


@strawberry.type(description="A picture of a product.")
class Image:
    url: str = strawberry.field(description="Where it is.")
    alt: str | None = strawberry.field(description="What is said where it cannot be seen.")


@strawberry.type(description="A price and since when it holds.")
class PriceSince:
    at: datetime = strawberry.field(description="Since when.")
    price: Money = strawberry.field(description="The price.")


@strawberry.type(description="The stock of a variant. What is on hand and held is for staff only.")
class Stock:
    version: int = strawberry.field(description="Counts its changes; the same number as in the command API's ETag.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    status: StockStatus = strawberry.field(description="How much is available, seen from afar.")
    available: Long = strawberry.field(description="Units that can be ordered.")
    on_hand: Long | None = strawberry.field(description="Units that are there, held or not.")
    reserved: Long | None = strawberry.field(description="Held for orders.")
    threshold: Long | None = strawberry.field(description="At so many available units and fewer it is low.")


@strawberry.type(description="A category on the way from the top.")
class CategoryStep:
    id: strawberry.ID = strawberry.field(description="The category's id.")
    name: str = strawberry.field(description="What it is called.")


@strawberry.type(description="A category of the one tree.")
class Category(Node):
    version: int = strawberry.field(description="The tree's version when this category last changed.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    name: str = strawberry.field(description="What it is called.")
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
    sku: str = strawberry.field(description="The shop's own code for it.")
    values: list[Attribute] = strawberry.field(description="A value for each of the product's options.")
    price: Money = strawberry.field(description="What it costs now.")
    price_history: list[PriceSince] = strawberry.field(description="Every price it ever had, oldest first.")
    product_row: strawberry.Private[ProductRow]

    @computed("The product it is a form of.")
    def product(self) -> Annotated[Product, strawberry.lazy("read_api.products")]:
        return product(self.product_row)

    @computed("What it cost at that moment. Null before it had a price.")
    def price_at(self, at: Annotated[datetime, strawberry.argument(description="The moment.")]) -> Money | None:
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
        if self.category_id is None:
            return None
        row = await info.context.loader(categories_by_id).load(UUID(self.category_id))
        return category(row) if row else None


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
class ProductStatusFilter:
    eq: ProductStatus | None = strawberry.field(default=UNSET, description="It is this one.")
    in_: list[ProductStatus] | None = strawberry.field(name="in", default=UNSET, description="It is one of these.")


@strawberry.input(description="Conditions on products; all that are given must hold.")
class ProductsWhere:
    status: ProductStatusFilter | None = strawberry.field(default=UNSET, description="Where it is in its life.")
    category_id: IdFilter | None = strawberry.field(default=UNSET, description="The category it is in.")
    min_price: LongFilter | None = strawberry.field(
        default=UNSET, description="The least price of its variants, in minor units."
    )
    created_at: DateTimeFilter | None = strawberry.field(default=UNSET, description="When it was drafted.")


@strawberry.type
class ProductsQuery:
    @root(Public, "One product. Null if there is none that you may see.")
    async def product(self, info: Asked, id: Id, as_of: When = UNSET) -> Product | None:
        return await product_by_id(info.context, uuid_of(id), as_of or None)

    @root(Public, "What is sold; for staff, all there is.")
    async def products(
        self,
        info: Asked,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        where: Annotated[ProductsWhere | None, WHICH] = UNSET,
        order_by: Annotated[ProductsOrderBy, ORDERED] = ProductsOrderBy.CREATED_AT_DESC,
    ) -> Connection[Product]:
        context = info.context
        allowed = [*on_sale(context.actor), *conditions(where)]
        return await connection(context, PRODUCTS, allowed, order_by, paging(first, after, last, before), product)

    @root(Public, "One category. Null if there is none.")
    async def category(self, info: Asked, id: Id) -> Category | None:
        return await category_by_id(info.context, uuid_of(id))

    @root(Public, "The whole tree, by name; there are 2,000 at most.")
    async def categories(self, info: Asked) -> list[Category]:
        return [category(row) for row in await tree(info.context.pool)]


async def product_by_id(context: Context, id: UUID | None, as_of: AsOf | None = None) -> Product | None:
    row = await row_of(context, PRODUCT, id, as_of)
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
        row=row,
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
