"""How many objects a list is taken to have, and what makes more work than it brings: the one table of it.

A list with pages says itself how long it is. One without is as long as it can be, or, where that is far more than it
ever is, as long as it is with most: what comes may be more, and is counted as it comes (`executor`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.ids import SLICES
from domain.products.value import MAX_CATEGORIES
from projections.notifications.queries import MOST as MOST_NOTIFICATIONS
from read_api.paging import MAX_PAGE

ACTIONS: Final = 5

SIZES: Final[Mapping[str, int]] = {
    "AttributeFacet.values": 20,
    "Category.children": 10,
    "Category.path": 4,
    "Lag.slices": SLICES,
    "Notification.facts": 5,
    "Order.availableActions": ACTIONS,
    "Order.lines": 10,
    "Order.notifications": MOST_NOTIFICATIONS,
    "Order.returns": 2,
    "Order.sagas": 2,
    "Order.shipments": 2,
    "Order.timeline": 10,
    "Payment.attempts": 3,
    "Payment.availableActions": ACTIONS,
    "Payment.captures": 2,
    "Payment.ledger": 10,
    "Payment.refunds": 2,
    "Product.attributes": 5,
    "Product.availableActions": ACTIONS,
    "Product.images": 5,
    "Product.variants": 10,
    "ProductFacets.attributes": 10,
    "ProductFacets.categories": 50,
    "ProductFacets.prices": 10,
    "Query.categories": MAX_CATEGORIES,
    "Query.difference": 20,
    "Query.history": MAX_PAGE,
    "Query.nodes": MAX_PAGE,
    "Query.readModels": 20,
    "Query.salesByDay": 100,
    "Return.lines": 5,
    "Saga.availableActions": ACTIONS,
    "Saga.steps": 10,
    "Shipment.lines": 5,
    "User.addressBook": 3,
    "User.availableActions": ACTIONS,
    "Variant.priceHistory": 10,
    "Variant.values": 2,
}
"""Lists of objects by their type and field. A schema with one that is not here is refused."""

PRICES: Final[Mapping[str, int]] = {
    "ProductSearchConnection.facets": 50,
    "ProductSearchConnection.totalCount": 50,
    "ProductSearchConnection.totalCountCapped": 50,
    "Query.difference": 500,
    "Query.history": 50,
    "Variant.priceAt": 5,
}
"""What selecting a field costs beside the objects that it brings."""

A_COUNT: Final = 10
COUNTS: Final = frozenset({"totalCount", "totalCountCapped"})
"""Of any list with pages, unless PRICES says otherwise."""

A_PAST: Final = 250
"""Of a thing as it was (`asOf`), which is folded from its events."""

AN_INTROSPECTION: Final = 500
"""Of `__schema` or `__type`, unless it is only the type's own name and the like."""

A_PAGE: Final = 1
A_TENTH: Final = 10
"""A page costs one, and one more for every ten nodes that it may have, even if none of them is looked at."""


def price(parent: str, field: str) -> int:
    """What the field costs beside the objects that it brings."""
    return PRICES.get(f"{parent}.{field}", A_COUNT if field in COUNTS else 0)


def page_price(size: int) -> int:
    return A_PAGE + size // A_TENTH
