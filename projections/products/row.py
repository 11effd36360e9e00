"""Products, stock and categories as they are looked up. Amounts are minor units of the product's currency."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.products.product import ProductStatus
from domain.products.reservation import ReservationStatus
from domain.products.stock import StockStatus
from domain.products.value import Image
from projections.row import dataclass


@dataclass(frozen=True)
class PriceRow:
    """The price from this moment on."""

    at: datetime
    amount: int


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class ProductRow:
    """Columns of the table `products`. Prices and `skus` (upper case) are those of variants that are not removed."""

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
    skus: tuple[str, ...] = ()
    first_activated_at: datetime | None = None
    activated_at: datetime | None = None
    discontinued_at: datetime | None = None


@dataclass(frozen=True)
class SoldRow:
    """A variant as far as searching goes."""

    id: UUID
    sku: str
    values: dict[str, str]
    price: int


@dataclass(frozen=True)
class ProductSearchRow:
    """Columns of the table `product_search`: what a product is found, narrowed down, counted and sorted by.

    `said` and `sold` are tsvectors: of what is said about the product, and of its variants' SKUs and values.
    `name_key` is the name as names are sorted.
    """

    id: UUID
    version: int
    updated_at: datetime
    status: ProductStatus
    name_key: str
    category_id: UUID | None
    attributes: dict[str, str]
    said: str
    created_at: datetime
    variants: tuple[SoldRow, ...] = ()
    sold: str = ""
    currency: str | None = None
    min_price: int = 0


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class HeldRow:
    """So many of a variant are held."""

    variant_id: UUID
    quantity: int


@dataclass(frozen=True)
class ReservationRow:
    """Columns of the table `reservations`: what is, or was, held for an order. `returned_at`: it left and came back."""

    id: UUID
    version: int
    updated_at: datetime
    order_id: UUID
    lines: tuple[HeldRow, ...]
    held_at: datetime
    status: ReservationStatus = ReservationStatus.HELD
    ended_at: datetime | None = None
    returned_at: datetime | None = None


@dataclass(frozen=True)
class CategoryRow:
    """Columns of the table `categories`: one category of the tree. `version` is the tree's when it last changed."""

    id: UUID
    version: int
    updated_at: datetime
    name: str
    parent_id: UUID | None
    removed: bool = False
