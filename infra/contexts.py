"""Every context with a log of its own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from domain import notifications, operations, orders, payments, products, sagas, users
from domain.aggregate import Context

CONTEXTS: Final[tuple[Context, ...]] = (
    users.CONTEXT,
    products.CONTEXT,
    orders.CONTEXT,
    payments.CONTEXT,
    sagas.CONTEXT,
    notifications.CONTEXT,
    operations.CONTEXT,
)


def named(names: Collection[str]) -> tuple[Context, ...]:
    """Raises LookupError, with a sentence, for a name that no context has."""
    known = {context.name: context for context in CONTEXTS}
    if unknown := sorted(set(names) - known.keys()):
        raise LookupError(f"unknown context {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(context for name, context in known.items() if name in names)
