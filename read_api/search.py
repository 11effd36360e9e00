"""Products as customers look for them: words, what they narrow it down to, and how what is found is made up."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import strawberry
from strawberry import UNSET
from strawberry.relay import PageInfo

from domain.errors import InvalidValue
from projections.listing import Page
from projections.pool import Pool
from projections.products.queries import Facets, categories_by_id, facets, find
from projections.products.search import Prices, Search, Sort, ordering_of
from read_api.access import Public, computed, root
from read_api.connection import After, Before, Edge, First, Last, page_info, paging
from read_api.context import Asked, Context
from read_api.described import described
from read_api.filters import as_uuid
from read_api.products import Category, Product, category, product
from read_api.scalars import Long

MAX_ATTRIBUTES: Final = 20
MAX_VALUES: Final = 50
MAX_TEXT: Final = 200

ProductSort = described(
    Sort,
    "How products that were found are ordered.",
    name="ProductSearchOrderBy",
    RELEVANCE="Those in which the words say most first; without words the newest.",
    NEWEST="The newest first.",
    PRICE_ASC="The cheapest first, by the least price of their variants.",
    PRICE_DESC="The dearest first, by the least price of their variants.",
    NAME_ASC="By name, from A.",
    NAME_DESC="By name, from Z.",
)


@strawberry.input(description="The least price of a product's variants is in this currency and within these bounds.")
class PriceRange:
    currency: str = strawberry.field(description="ISO 4217 code.")
    gte: Long | None = strawberry.field(default=UNSET, description="At least so much, in minor units.")
    lte: Long | None = strawberry.field(default=UNSET, description="At most so much, in minor units.")


@strawberry.input(description="A product has one of these values for the attribute.")
class AttributeIs:
    name: str = strawberry.field(description="The attribute's name.")
    in_: list[str] = strawberry.field(name="in", description="The values that will do, 50 at most.")


@strawberry.input(description="What products are looked for; all that is given must hold.")
class ProductSearchWhere:
    category_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="They are in this category or below it."
    )
    price: PriceRange | None = strawberry.field(default=UNSET, description="What the cheapest of their variants costs.")
    in_stock: bool | None = strawberry.field(default=UNSET, description="True: some variant of them can be had.")
    attributes: list[AttributeIs] | None = strawberry.field(
        default=UNSET, description="Their attributes, 20 names at most."
    )


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


Text = Annotated[
    str,
    strawberry.argument(
        description="Words, 200 characters at most. All of them, or longer ones that begin with them, are in a "
        "product's name, SKUs, attributes or description."
    ),
]
Narrowed = Annotated[ProductSearchWhere | None, strawberry.argument(description="What else must hold.")]
By = Annotated[Sort, strawberry.argument(description="How they are ordered.")]


@strawberry.type
class SearchQuery:
    @root(Public, "Looks for products that are sold.")
    async def search_products(
        self,
        info: Asked,
        text: Text = "",
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        where: Narrowed = UNSET,
        order_by: By = Sort.RELEVANCE,
    ) -> ProductSearchConnection:
        context, search, wanted = info.context, searched(text, where), paging(first, after, last, before)
        of = f"search {ordering_of(search, order_by)}"
        page = Page(
            wanted.size,
            wanted.backward,
            after=context.cursors.open(of, wanted.after, "after") if wanted.after is not None else None,
            before=context.cursors.open(of, wanted.before, "before") if wanted.before is not None else None,
        )
        found = await find(context.pool, search, order_by, page)
        edges = [Edge(cursor=context.cursors.sign(of, hit.mark), node=product(hit.product)) for hit in found.hits]
        return ProductSearchConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=page_info(edges, page, more=found.more),
            search=search,
        )


async def made_up(context: Context, search: Search) -> Facets:
    """Counted once, whoever asks."""

    async def counted(pool: Pool, _: list[str]) -> list[Facets]:
        return [await facets(pool, search)]

    return await context.loader(counted, ("facets", repr(search))).load("")


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
