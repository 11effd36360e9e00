"""The whole graph: the root fields of every module, joined."""

from __future__ import annotations

import logging
from asyncio import gather
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types
from strawberry.types import ExecutionContext

from domain.errors import DomainError, InvalidValue
from read_api.access import Public, root
from read_api.answers import NOT_VALID
from read_api.context import Asked, Context
from read_api.documents import Documents
from read_api.guard import Guard
from read_api.live.changes import Subscription
from read_api.models import ReadModelsQuery
from read_api.node import Node
from read_api.notifications.query import NotificationsQuery, notification_by_id
from read_api.orders.query import OrdersQuery, order_by_id
from read_api.paging import MAX_PAGE
from read_api.payments.query import PaymentsQuery, payment_by_id
from read_api.persisted import Persisted
from read_api.products.query import ProductsQuery, category_by_id, product_by_id, variant_by_id
from read_api.sagas.query import SagasQuery, saga_by_id
from read_api.sales import SalesQuery
from read_api.scalars import LONG, MOMENT, Id, Ids, Long, uuid_of
from read_api.search.query import SearchQuery
from read_api.story import StoryQuery
from read_api.users.query import UsersQuery, user_by_id

log = logging.getLogger(__name__)

ById = Callable[[Context, UUID], Awaitable[Node | None]]

NODES: Final[tuple[ById, ...]] = (
    order_by_id,
    payment_by_id,
    product_by_id,
    variant_by_id,
    category_by_id,
    user_by_id,
    notification_by_id,
    saga_by_id,
)
"""What `node` looks through: each gives the thing of its kind with this id, if the actor may see it."""


@strawberry.type
class NodeQuery:
    @root(Public, "Whatever has this id. Null if there is nothing that you may see.")
    async def node(self, info: Asked, id: Id) -> Node | None:
        return await node_by_id(info.context, uuid_of(id))

    @root(Public, "Whatever has these ids, in their order, 100 at most. Null where there is nothing that you may see.")
    async def nodes(self, info: Asked, ids: Ids) -> list[Node | None]:
        return await nodes_by_id(info.context, [uuid_of(id) for id in ids])


async def nodes_by_id(context: Context, ids: list[UUID | None]) -> list[Node | None]:
    """Asked for at the same time, so that those of one kind are read at once. Raises InvalidValue."""
    if len(ids) > MAX_PAGE:
        raise InvalidValue(f"ids has {len(ids)} values, at most {MAX_PAGE} are allowed", path="nodes.ids")
    return list(await gather(*(node_by_id(context, id) for id in ids)))


async def node_by_id(context: Context, id: UUID | None) -> Node | None:
    if id is None:
        return None
    for by_id in NODES:
        if node := await by_id(context, id):
            return node
    return None


QUERIES: Final[tuple[type, ...]] = (
    NodeQuery,
    UsersQuery,
    ProductsQuery,
    SearchQuery,
    OrdersQuery,
    PaymentsQuery,
    NotificationsQuery,
    SagasQuery,
    StoryQuery,
    SalesQuery,
    ReadModelsQuery,
)


class Schema(strawberry.Schema):
    """Logs what is our fault; what is refused is told to the client only. `documents` are what is asked of it."""

    documents: Documents
    persisted: Persisted

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        for error in errors:
            if error.original_error is not None and not isinstance(error.original_error, (DomainError, *NOT_VALID)):
                log.error("%s failed at %s", type(self).__name__, error.path, exc_info=error.original_error)


def make_schema(*, introspection: bool = True, persisted: Persisted | None = None) -> Schema:
    """Raises TypeError if a root field does not say who may ask for it."""
    query = merge_types("Query", QUERIES)
    require_access(query)
    require_access(Subscription)
    config = StrawberryConfig(scalar_map={Long: LONG, datetime: MOMENT})
    schema = Schema(query=query, subscription=Subscription, extensions=[Guard], config=config)
    schema.documents = Documents(schema._schema, introspection=introspection)
    schema.persisted = persisted or Persisted()
    return schema


def require_access(query: Any) -> None:
    for field in query.__strawberry_definition__.fields:
        if not field.permission_classes:
            raise TypeError(f"the root field {field.python_name} does not say who may ask for it")


def schema_graphql() -> str:
    """The contract as it is committed: `schema.graphql`."""
    return make_schema().as_str() + "\n"
