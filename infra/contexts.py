"""Every context with a log of its own."""

from __future__ import annotations

from typing import Final

from domain import orders, payments, products, users
from domain.aggregate import Context

CONTEXTS: Final[tuple[Context, ...]] = (users.CONTEXT, products.CONTEXT, orders.CONTEXT, payments.CONTEXT)
