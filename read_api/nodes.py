"""Anything by its id: one statement looks through all kinds of things, for whatever number of ids.

What the actor may not see is left out by that statement, so that it looks like what is not there.
"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final
from uuid import UUID

import strawberry
from psycopg import sql

from domain.actor import Actor
from domain.errors import DomainError, InvalidValue, NotFound
from projections.generations import READS
from projections.listing import Condition, Listing, condition
from projections.notifications.queries import NOTIFICATIONS
from projections.orders.queries import ORDERS
from projections.payments.queries import PAYMENTS
from projections.pool import Pool, connected
from projections.products.queries import CATEGORIES, PRODUCTS
from projections.products.row import ProductRow
from projections.sagas.queries import SAGAS
from projections.users.queries import USERS
from read_api.access import Public, root
from read_api.context import Asked, Context
from read_api.filters import own
from read_api.node import Node
from read_api.notifications.nodes import notification
from read_api.orders.nodes import order
from read_api.paging import MAX_PAGE
from read_api.payments.nodes import payment
from read_api.products.nodes import category, product
from read_api.products.where import on_sale
from read_api.sagas.nodes import saga
from read_api.scalars import Id, Ids, uuid_of
from read_api.users.nodes import user

ITSELF: Final = sql.SQL("t.id = ANY(%s)")
OF_A_VARIANT: Final = sql.SQL("t.id IN (SELECT s.product_id FROM {}.stock s WHERE s.id = ANY(%s))").format(
    sql.Identifier(READS)
)


@dataclass(frozen=True, slots=True)
class Kind:
    """Things of one table: `own` are the conditions on what an actor may see, `nodes` what a row has with an id.

    `has` is the condition that a row has one of the ids, where they are not its own.
    """

    listing: Listing[Any]
    own: Callable[[Actor], Iterable[Condition]]
    nodes: Callable[[Any, Actor], Iterable[Node]]
    has: sql.Composable | None = None


def for_staff(actor: Actor) -> list[Condition]:
    return [] if actor.in_charge else [Condition("id", "eq", None)]


def there(actor: Actor) -> list[Condition]:
    return [Condition("removed", "eq", value=False)]


def variants(row: ProductRow, actor: Actor) -> Iterable[Node]:
    return product(row, actor).variants


KINDS: Final[Sequence[Kind]] = (
    Kind(ORDERS, own, lambda row, actor: [order(row, actor)]),
    Kind(PAYMENTS, own, lambda row, actor: [payment(row, actor)]),
    Kind(PRODUCTS, on_sale, lambda row, actor: [product(row, actor)]),
    Kind(PRODUCTS, on_sale, variants, OF_A_VARIANT),
    Kind(CATEGORIES, there, lambda row, _: [category(row)]),
    Kind(USERS, partial(own, column="id"), lambda row, actor: [user(row, actor)]),
    Kind(NOTIFICATIONS, partial(own, column="user_id"), lambda row, actor: [notification(row, actor)]),
    Kind(SAGAS, for_staff, lambda row, _: [saga(row)]),
)


@strawberry.type
class NodeQuery:
    @root(Public, "Whatever has this id. Null, and an error, if there is nothing that you may see.")
    async def node(self, info: Asked, id: Id) -> Node | None:
        found = await sought(info.context, id)
        if isinstance(found, DomainError):
            raise found
        return found

    @root(
        Public,
        "Whatever has these ids, in their order, 100 at most. Null, and an error, where there is nothing that you may "
        "see.",
    )
    async def nodes(self, info: Asked, ids: Ids) -> list[Node | None]:
        if len(ids) > MAX_PAGE:
            raise InvalidValue(f"ids has {len(ids)} values, at most {MAX_PAGE} are allowed", path="nodes.ids")
        found = await gather(*(sought(info.context, id) for id in ids))
        return list(found)  # type: ignore[arg-type]  # the executor takes what is an exception for the node's error


async def sought(context: Context, id: str) -> Node | DomainError:
    """What has this id, or why there is nothing. What is asked for at the same time is looked up at once."""
    if (uuid := uuid_of(strawberry.ID(id))) is None:
        return InvalidValue(f"{id[:50]!r} is no id: ids are UUIDs", path="id")
    actor = context.actor

    async def look(pool: Pool, ids: list[UUID]) -> list[Node | None]:
        return await nodes_of(pool, actor, ids)

    return await context.loader(look, "nodes").load(uuid) or NotFound("node", id)


async def nodes_of(pool: Pool, actor: Actor, ids: Sequence[UUID]) -> list[Node | None]:
    """In the order of the ids; None where there is nothing that the actor may see."""
    owns = [list(kind.own(actor)) for kind in KINDS]
    values = [value for own in owns for value in (list(ids), *(c.value for c in own if c.value is not None))]
    async with connected(pool) as connection:
        answer = await (await connection.execute(statement(shape(owns)), values)).fetchall()
    found = {node.id: node for number, row in answer for node in nodes_in(KINDS[number], row, actor)}
    return [found.get(strawberry.ID(str(id))) for id in ids]


def nodes_in(kind: Kind, row: str, actor: Actor) -> Iterator[Node]:
    for decoded in kind.listing.table.decoded([(row,)]):
        yield from kind.nodes(decoded, actor)


Compared = tuple[str, str, bool]
"""Of a condition: column, operator, and whether it has a value."""
Shape = tuple[tuple[Compared, ...], ...]
"""Of each kind its conditions. Equal for the same statement."""


def shape(owns: Sequence[Sequence[Condition]]) -> Shape:
    return tuple(tuple((c.column, c.operator, c.value is not None) for c in own) for own in owns)


def compared(own: Compared) -> sql.Composable:
    column, operator, has_value = own
    return condition(Condition(column, operator, has_value or None)).query


@cache
def statement(shape: Shape) -> bytes:
    """Of each kind its number and the rows that have one of the ids."""
    arms = [
        sql.SQL("SELECT {}, {} FROM {} t WHERE {}").format(
            sql.Literal(number),
            kind.listing.table.selected(),
            sql.Identifier(READS, kind.listing.table.name),
            sql.SQL(" AND ").join(
                [kind.has or ITSELF, *(condition(Condition(c, o, v or None)).query for c, o, v in conditions)]
            ),
        )
        for number, (kind, conditions) in enumerate(zip(KINDS, shape, strict=True))
    ]
    return sql.SQL(" UNION ALL ").join(arms).as_bytes(None)
