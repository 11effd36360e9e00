"""Relay connections over lists by key set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import strawberry
from strawberry.relay import PageInfo

from domain.actor import Actor
from projections.listing import Condition, Found, Listing, Mark, Ordering, Page
from projections.pool import Pool
from projections.table import R
from read_api.access import computed
from read_api.context import Asked, Context
from read_api.paging import Paging

N = TypeVar("N")

MAX_COUNT: Final = 10_000


WHICH: Final = strawberry.argument(description="Conditions on what is listed.")
ORDERED: Final = strawberry.argument(description="How it is ordered.")


@strawberry.type(description="A node and its place in the list.")
class Edge(Generic[N]):
    cursor: str = strawberry.field(description="Give it as `after` or `before` to go on from here.")
    node: N = strawberry.field(description="What is at this place.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[N]):
    edges: list[Edge[N]] = strawberry.field(description="The nodes with their places in the list.")
    nodes: list[N] = strawberry.field(description="The nodes of the edges, for those who need no cursors of their own.")
    page_info: PageInfo = strawberry.field(description="Where the page is in the list.")
    counted: strawberry.Private[Counted]

    @computed("How many there are in all, at most 10,000. Costs a count: ask only if you show it.")
    async def total_count(self, info: Asked) -> int:
        return min(await self.counted(info.context), MAX_COUNT)

    @computed("Whether there are more than `totalCount` says.")
    async def total_count_capped(self, info: Asked) -> bool:
        return await self.counted(info.context) > MAX_COUNT


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose list it is, where a list hangs on something: the one that `column` names."""

    column: str
    id: UUID


class Counted:
    """Counts a list once, if anybody asks; the lists of many owners together."""

    def __init__(self, listing: Listing[Any], where: Sequence[Condition], owner: Owner | None = None) -> None:
        self._listing = listing
        self._where = where
        self._owner = owner
        self._count: int | None = None

    async def __call__(self, context: Context) -> int:
        if self._count is None:
            self._count = await self._counted(context)
        return self._count

    async def _counted(self, context: Context) -> int:
        listing, where, owner = self._listing, self._where, self._owner
        if owner is None:
            return await listing.count(context.pool, where, MAX_COUNT + 1)

        async def counts(pool: Pool, ids: list[UUID]) -> list[int]:
            return await listing.counts(pool, owner.column, ids, where, MAX_COUNT + 1)

        name = ("count", listing.table.name, owner.column, repr(where))
        return await context.loader(counts, name).load(owner.id)


async def connection(
    context: Context,
    listing: Listing[R],
    where: Sequence[Condition],
    order_by: Enum,
    paging: Paging,
    node: Callable[[R, Actor], N],
    owner: Owner | None = None,
) -> Connection[N]:
    """A page of `listing`. The value of `order_by` is an Ordering; `node` makes of a row what the actor sees.

    The pages of many owners, asked for at the same time, are read at once. Raises InvalidPage, InvalidCursor.
    """
    ordering: Ordering = order_by.value
    of = f"{listing.table.name} {order_by.name}"
    page = paging.page(context.cursors, of)
    found = await page_of(context, listing, where, ordering, page, owner)
    edges = [
        Edge(cursor=context.cursors.sign(of, mark(row, ordering)), node=node(row, context.actor)) for row in found.rows
    ]
    return Connection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=page_info(edges, page, more=found.more),
        counted=Counted(listing, where, owner),
    )


async def page_of(
    context: Context,
    listing: Listing[R],
    where: Sequence[Condition],
    ordering: Ordering,
    page: Page,
    owner: Owner | None,
) -> Found[R]:
    if owner is None:
        return await listing.page(context.pool, where, ordering, page)

    async def pages(pool: Pool, ids: list[UUID]) -> list[Found[R]]:
        return await listing.pages(pool, owner.column, ids, where, ordering, page)

    name = ("page", listing.table.name, owner.column, repr(where), ordering, page)
    return await context.loader(pages, name).load(owner.id)


def mark(row: Any, ordering: Ordering) -> Mark:
    return Mark(getattr(row, ordering.column), row.id)


def page_info(edges: Sequence[Edge[Any]], page: Page, *, more: bool) -> PageInfo:
    """What lies in the direction of paging is known; what lies behind is there if a cursor says where one came from."""
    return PageInfo(
        has_next_page=page.before is not None if page.backward else more,
        has_previous_page=more if page.backward else page.after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
