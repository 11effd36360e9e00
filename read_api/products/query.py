"""Products and categories, one or a list."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.errors import InvalidValue
from domain.products.sku import normalised
from projections.products.projector import products as projector
from projections.products.queries import PRODUCTS, STOCK, categories_by_id, products_by_sku, tree
from projections.products.search import storable
from read_api.access import Public, root
from read_api.connection import ORDERED, WHICH, Connection, connection
from read_api.context import Asked, Context
from read_api.history import AsOf, Kind, When, row_of
from read_api.paging import Paged, Paging
from read_api.products.nodes import Category, Product, Variant, category, may_see, product
from read_api.products.where import ProductsOrderBy, ProductsWhere, columns, on_sale
from read_api.scalars import Id, uuid_of

VariantId = Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")]
Sku = Annotated[
    str | None, strawberry.argument(description="The shop's own code for it; upper and lower case are the same.")
]

PRODUCT: Final = Kind("products", projector, PRODUCTS)


@strawberry.type
class ProductsQuery:
    @root(Public, "One product. Null if there is none that you may see.")
    async def product(self, info: Asked, id: Id, as_of: When = UNSET) -> Product | None:
        return await product_by_id(info.context, uuid_of(id), as_of or None)

    @root(Public, "What is sold; for staff, all there is.", Paged())
    async def products(
        self,
        info: Asked,
        paging: Paging,
        where: Annotated[ProductsWhere | None, WHICH] = UNSET,
        order_by: Annotated[ProductsOrderBy, ORDERED] = ProductsOrderBy.CREATED_AT_DESC,
    ) -> Connection[Product]:
        context = info.context
        allowed = [*on_sale(context.actor), *columns(where)]
        return await connection(context, PRODUCTS, allowed, order_by, paging, product)

    @root(Public, "One variant, by its id or by its SKU. Null if there is none that you may see.")
    async def variant(self, info: Asked, id: VariantId = UNSET, sku: Sku = UNSET) -> Variant | None:
        if bool(id) is bool(sku):
            raise InvalidValue("variant takes an id or a sku, one of them", path="variant")
        by_id = uuid_of(id) if id else None
        return await variant_by_sku(info.context, sku) if sku else await variant_by_id(info.context, by_id)

    @root(Public, "One category. Null if there is none.")
    async def category(self, info: Asked, id: Id) -> Category | None:
        return await category_by_id(info.context, uuid_of(id))

    @root(Public, "The whole tree, by name; there are 2,000 at most.")
    async def categories(self, info: Asked) -> list[Category]:
        return [category(row) for row in await tree(info.context.pool)]


async def product_by_id(context: Context, id: UUID | None, as_of: AsOf | None = None) -> Product | None:
    actor = context.actor
    row = await row_of(context, PRODUCT, id, lambda row: may_see(row, actor), as_of)
    return product(row, actor) if row else None


async def variant_by_id(context: Context, id: UUID | None) -> Variant | None:
    """Its stock names its product."""
    row = await context.loader(STOCK.each).load(id) if id else None
    of = await product_by_id(context, row.product_id) if row else None
    return next((v for v in of.variants if v.id == str(id)), None) if of else None


async def variant_by_sku(context: Context, sku: str) -> Variant | None:
    row = await context.loader(products_by_sku).load(sku) if storable(sku) else None
    if row is None or not may_see(row, context.actor):
        return None
    return next((v for v in product(row, context.actor).variants if normalised(v.sku) == normalised(sku)), None)


async def category_by_id(context: Context, id: UUID | None) -> Category | None:
    row = await context.loader(categories_by_id).load(id) if id else None
    return category(row) if row else None
