"""The whole command API in one table: every context's rows, joined here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from commands.access import NOBODY, SCOPES
from commands.handler import Handlers
from commands.notifications import handlers as notifications_handlers
from commands.notifications import routes as notifications_routes
from commands.operations import handlers as operations_handlers
from commands.operations import routes as operations_routes
from commands.orders import handlers as orders_handlers
from commands.orders import routes as orders_routes
from commands.payments import handlers as payments_handlers
from commands.payments import routes as payments_routes
from commands.payments import webhooks
from commands.products import handlers as products_handlers
from commands.products import routes as products_routes
from commands.raw import RawPost
from commands.route import Resource, Route
from commands.sagas import routes as sagas_routes
from commands.users import handlers as users_handlers
from commands.users import routes as users_routes

CONTEXTS: Final = (
    users_routes,
    products_routes,
    orders_routes,
    payments_routes,
    sagas_routes,
    notifications_routes,
    operations_routes,
)
ROUTES: Final[list[Route]] = [route for context in CONTEXTS for route in context.ROUTES]
RESOURCES: Final[list[Resource]] = [resource for context in CONTEXTS for resource in context.RESOURCES]
RAW: Final[list[RawPost]] = [webhooks.POST]
HANDLERS: Final[dict[str, Handlers]] = {
    "users": users_handlers.HANDLERS,
    "products": products_handlers.HANDLERS,
    "orders": orders_handlers.HANDLERS,
    "payments": payments_handlers.HANDLERS,
    "notifications": notifications_handlers.HANDLERS,
    "operations": operations_handlers.HANDLERS,
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of `chobo routes`."""

    method: str
    path: str
    command: str
    scope: str
    roles: str
    key: str
    answer: int
    if_match: str


def table() -> list[Row]:
    return sorted([*rows(ROUTES, RESOURCES), *map(raw_row, RAW)], key=lambda row: (row.path, row.method))


def rows(routes: list[Route], resources: list[Resource]) -> Iterator[Row]:
    for route in routes:
        status = 200 if route.serve else route.answer.value
        match = "required" if route.edits else ""
        name = route.message.__name__
        yield Row("POST", route.path, name, route.scope, roles_of(route.scope), route.key.value, status, match)
    for look in resources:
        yield Row("GET", look.path, "", look.scope, roles_of(look.scope), "", 200, "")


def raw_row(post: RawPost) -> Row:
    return Row("POST", post.path, "", "", "who signs it", "", 200, "")


def roles_of(scope: str) -> str:
    """`anybody`, or the roles that a person needs one of; services have every scope."""
    allowed = SCOPES.get(scope, NOBODY)
    return "anybody" if None in allowed else ", ".join(sorted(str(role) for role in allowed))


def route_table() -> str:
    """`docs/routes.md`."""
    lines = [
        "# Routes",
        "",
        "Made from the code (`make contracts`): the whole command API. `key` says what becomes of `Idempotency-Key`.",
        "",
        "| method | path | command | scope | who | key | answer | If-Match |",
        "|---|---|---|---|---|---|---|---|",
        *(line(row) for row in table()),
    ]
    return "\n".join(lines) + "\n"


def line(row: Row) -> str:
    cells = (row.method, f"`{row.path}`", row.command, row.scope, row.roles, row.key, str(row.answer), row.if_match)
    return f"| {' | '.join(cells)} |"
