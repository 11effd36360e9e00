"""The words of a product, and what they mean."""

from __future__ import annotations

from domain.products.product import ProductStatus
from domain.products.stock import StockStatus
from read_api.described import described

__all__ = ["ProductStatus", "StockStatus"]

described(
    ProductStatus,
    "Where a product is in its life.",
    DRAFT="It is not sold yet.",
    ACTIVE="It is sold.",
    DISCONTINUED="It is not sold any more.",
)


described(
    StockStatus,
    "How much is available, seen from afar.",
    IN_STOCK="Enough.",
    LOW="At or below its threshold.",
    OUT_OF_STOCK="None.",
    CLOSED="The variant was removed.",
)
