"""The words of a search, and what they mean."""

from __future__ import annotations

from projections.products.search import Sort
from read_api.described import described

__all__ = ["Sort"]

described(
    Sort,
    "How products that were found are ordered. Of prices the minor units alone are compared: where there are several "
    "currencies, say in `where` which `price` is meant.",
    name="ProductSearchOrderBy",
    RELEVANCE="Those in which the words say most first; without words the newest.",
    NEWEST="The newest first.",
    PRICE_ASC="The cheapest first, by the least price of their variants.",
    PRICE_DESC="The dearest first, by the least price of their variants.",
    NAME_ASC="By name, from A.",
    NAME_DESC="By name, from Z.",
)
