"""What was found, and how it is made up."""

from __future__ import annotations

from uuid import UUID

import strawberry
from strawberry.relay import PageInfo

from projections.pool import Pool
from projections.products.queries import Facets, categories_by_id, facets
from projections.products.search import Search
from read_api.access import computed
from read_api.connection import Edge
from read_api.context import Asked, Context
from read_api.products.nodes import Category, Product, category
from read_api.scalars import Long


@strawberry.type(description="So many of what was found are in this category or below it.")
class CategoryCount:
    category: Category = strawberry.field(description="The category.")
    count: int = strawberry.field(description="How many of what was found.")


@strawberry.type(description="So many of what was found have this value.")
class ValueCount:
    value: str = strawberry.field(description="The attribute's value.")
    count: int = strawberry.field(description="How many of what was found.")


@strawberry.type(description="The values that what was found has for an attribute.")
class AttributeFacet:
    name: str = strawberry.field(description="The attribute's name.")
    values: list[ValueCount] = strawberry.field(description="The 20 most frequent, those first.")


@strawberry.type(description="So many of what was found cost at least `gte` and less than `below`.")
class PriceCount:
    currency: str = strawberry.field(description="ISO 4217 code.")
    gte: Long = strawberry.field(description="In minor units.")
    below: Long | None = strawberry.field(description="In minor units; null: or whatever more.")
    count: int = strawberry.field(description="How many of what was found.")


@strawberry.type(description="How what was found is made up. Of more than 5,000 the newest are counted.")
class ProductFacets:
    in_stock: int = strawberry.field(description="Of how many some variant can be had.")
    attributes: list[AttributeFacet] = strawberry.field(description="By attribute, in order of their names.")
    prices: list[PriceCount] = strawberry.field(description="By what the cheapest variant costs.")
    by_category: strawberry.Private[dict[UUID, int]]

    @computed("By category, the fullest first; each counts what is below it too.")
    async def categories(self, info: Asked) -> list[CategoryCount]:
        rows = await info.context.loader(categories_by_id).load_many(list(self.by_category))
        return [CategoryCount(category=category(row), count=self.by_category[row.id]) for row in rows if row]


@strawberry.type(description="A page of the products that were found.")
class ProductSearchConnection:
    edges: list[Edge[Product]] = strawberry.field(description="The products with their places in the list.")
    nodes: list[Product] = strawberry.field(
        description="The nodes of the edges, for those who need no cursors of their own."
    )
    page_info: PageInfo = strawberry.field(description="Where the page is in the list.")
    search: strawberry.Private[Search]

    @computed("How what was found is made up. Costs a count: ask only if you show it.")
    async def facets(self, info: Asked) -> ProductFacets:
        return shown(await made_up(info.context, self.search))

    @computed("How many were found, at most 5,000. Costs a count: ask only if you show it.")
    async def total_count(self, info: Asked) -> int:
        return (await made_up(info.context, self.search)).total

    @computed("Whether there are more than `totalCount` says.")
    async def total_count_capped(self, info: Asked) -> bool:
        return (await made_up(info.context, self.search)).capped


async def made_up(context: Context, search: Search) -> Facets:
    """Counted once, whoever asks."""

    async def counted(pool: Pool, _: list[str]) -> list[Facets]:
        return [await facets(pool, search)]

    return await context.loader(counted, ("facets", repr(search))).load("")


def shown(found: Facets) -> ProductFacets:
    return ProductFacets(
        in_stock=found.in_stock,
        attributes=[
            AttributeFacet(name=name, values=[ValueCount(value=value, count=n) for value, n in values.items()])
            for name, values in found.attributes.items()
        ],
        prices=[
            PriceCount(
                currency=each.currency,
                gte=Long(each.gte),
                below=None if each.below is None else Long(each.below),
                count=each.count,
            )
            for each in found.prices
        ],
        by_category=dict(found.categories),
    )
