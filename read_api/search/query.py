"""Products as customers look for them."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import UNSET

from projections.products.queries import find
from projections.products.search import ordering_of
from read_api.access import Public, root
from read_api.connection import Edge, page_info
from read_api.context import Asked
from read_api.paging import Paged, Paging
from read_api.products.nodes import product
from read_api.search.enums import Sort
from read_api.search.parts import ProductSearchConnection
from read_api.search.where import ProductSearchWhere, searched

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
    @root(Public, "Looks for products that are sold.", Paged())
    async def search_products(
        self,
        info: Asked,
        *,
        text: Text = "",
        paging: Paging,
        where: Narrowed = UNSET,
        order_by: By = Sort.RELEVANCE,
    ) -> ProductSearchConnection:
        context, search = info.context, searched(text, where)
        of = f"search {ordering_of(search, order_by)}"
        page = paging.page(context.cursors, of)
        found = await find(context.pool, search, order_by, page)
        edges = [
            Edge(cursor=context.cursors.sign(of, hit.mark), node=product(hit.product, context.actor))
            for hit in found.hits
        ]
        return ProductSearchConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=page_info(edges, page, more=found.more),
            search=search,
        )
