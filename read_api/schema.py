"""The whole graph: the root fields of every module, joined."""

from __future__ import annotations

import logging
from typing import Any, Final

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types
from strawberry.types import ExecutionContext

from domain.errors import DomainError
from read_api.answers import NOT_VALID
from read_api.documents import Documents
from read_api.guard import Guard
from read_api.live.changes import Subscription
from read_api.models import ReadModelsQuery
from read_api.nodes import NodeQuery
from read_api.notifications.query import NotificationsQuery
from read_api.orders.query import OrdersQuery
from read_api.payments.query import PaymentsQuery
from read_api.persisted import Persisted
from read_api.products.query import ProductsQuery
from read_api.sagas.query import SagasQuery
from read_api.sales import SalesQuery
from read_api.scalars import LONG, Long
from read_api.search.query import SearchQuery
from read_api.story import StoryQuery
from read_api.users.query import UsersQuery

log = logging.getLogger(__name__)

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
    config = StrawberryConfig(scalar_map={Long: LONG})
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
