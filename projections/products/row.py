"""Products, stock and categories as they are looked up. Amounts are minor units of the product's currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.products.product import ProductStatus
from domain.products.stock import StockStatus
from domain.products.value import Image


@dataclass(frozen=True, slots=True)
class PriceRow:
    """The price from this moment on."""

    at: datetime
    amount: int


@dataclass(frozen=True, slots=True)
class VariantRow:
    """`prices` is its price history, the last one the present price. A removed variant stays for its history."""

    id: UUID
    sku: str
    values: dict[str, str]
    prices: tuple[PriceRow, ...]
    removed_at: datetime | None = None

    @property
    def price(self) -> int:
        return self.prices[-1].amount


@dataclass(frozen=True, slots=True)
class ProductRow:
    """Columns of the table `products`. The least and the greatest price are those of variants that are not removed."""

    id: UUID
    version: int
    updated_at: datetime
    status: ProductStatus
    name: str
    description: str
    category_id: UUID | None
    attributes: dict[str, str]
    images: tuple[Image, ...]
    options: tuple[str, ...]
    created_at: datetime
    variants: tuple[VariantRow, ...] = ()
    currency: str | None = None  # null only between the product's first event and its first variant
    min_price: int = 0
    max_price: int = 0
    activated_at: datetime | None = None
    discontinued_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StockRow:
    """Columns of the table `stock`; its id is the variant's."""

    id: UUID
    version: int
    updated_at: datetime
    product_id: UUID
    status: StockStatus = StockStatus.OUT_OF_STOCK
    on_hand: int = 0
    reserved: int = 0
    available: int = 0
    threshold: int = 0


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """Columns of the table `categories`: one category of the tree. `version` is the tree's when it last changed."""

    id: UUID
    version: int
    updated_at: datetime
    name: str
    parent_id: UUID | None
    removed: bool = False
