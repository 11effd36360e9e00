"""Products, their stock and their categories as they are looked up: one small function per event type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from domain.products.events import (
    CategoryCreated,
    CategoryEvent,
    CategoryMoved,
    CategoryRemoved,
    CategoryRenamed,
    ImagesArranged,
    PriceChanged,
    ProductActivated,
    ProductDiscontinued,
    ProductDrafted,
    ProductEdited,
    ProductEvent,
    StockAdjusted,
    StockClosed,
    StockCommitted,
    StockCounted,
    StockEvent,
    StockOpened,
    StockReceived,
    StockReleased,
    StockReserved,
    ThresholdSet,
    VariantAdded,
    VariantRemoved,
)
from domain.products.product import ProductStatus
from domain.products.stock import StockStatus, level
from projections.model import Model, Projector, opened
from projections.products.row import CategoryRow, PriceRow, ProductRow, StockRow, VariantRow

products = Projector("products", ProductRow, ProductEvent)
stock = Projector("stock", StockRow, StockEvent)


def category_of(event: CategoryEvent) -> UUID:
    return event.category_id


categories = Projector("categories", CategoryRow, CategoryEvent, key=category_of)

PRODUCTS = Model("products", contexts=("products",), projectors=(products, stock, categories))


# -- products


@products.opens(ProductDrafted)
def drafted(event: ProductDrafted) -> ProductRow:
    return ProductRow(
        **opened(event),
        status=ProductStatus.DRAFT,
        name=event.name,
        description=event.description,
        category_id=event.category_id,
        attributes=event.attributes,
        images=event.images,
        options=event.options,
        created_at=event.timestamp,
    )


@products.on(ProductEdited)
def edited(row: ProductRow, event: ProductEdited) -> ProductRow:
    return replace(
        row,
        name=event.name,
        description=event.description,
        category_id=event.category_id,
        attributes=event.attributes,
    )


@products.on(ImagesArranged)
def images_arranged(row: ProductRow, event: ImagesArranged) -> ProductRow:
    return replace(row, images=event.images)


@products.on(VariantAdded)
def variant_added(row: ProductRow, event: VariantAdded) -> ProductRow:
    price = PriceRow(event.timestamp, event.price.amount)
    variant = VariantRow(event.variant_id, event.sku, event.values, (price,))
    return priced(replace(row, currency=event.price.currency), (*row.variants, variant))


@products.on(VariantRemoved)
def variant_removed(row: ProductRow, event: VariantRemoved) -> ProductRow:
    return with_variant(row, event.variant_id, removed_at=event.timestamp)


@products.on(PriceChanged)
def price_changed(row: ProductRow, event: PriceChanged) -> ProductRow:
    before = next(v.prices for v in row.variants if v.id == event.variant_id)
    return with_variant(row, event.variant_id, prices=(*before, PriceRow(event.timestamp, event.new.amount)))


@products.on(ProductActivated)
def activated(row: ProductRow, event: ProductActivated) -> ProductRow:
    return replace(row, status=ProductStatus.ACTIVE, activated_at=event.timestamp, discontinued_at=None)


@products.on(ProductDiscontinued)
def discontinued(row: ProductRow, event: ProductDiscontinued) -> ProductRow:
    return replace(row, status=ProductStatus.DISCONTINUED, discontinued_at=event.timestamp)


def with_variant(row: ProductRow, id: UUID, **changes: Any) -> ProductRow:
    return priced(row, (replace(v, **changes) if v.id == id else v for v in row.variants))


def priced(row: ProductRow, variants: Iterable[VariantRow]) -> ProductRow:
    """The product with these variants, and their least and greatest price."""
    variants = tuple(variants)
    prices = [v.price for v in variants if v.removed_at is None]
    return replace(row, variants=variants, min_price=min(prices), max_price=max(prices))


# -- stock


@stock.opens(StockOpened)
def stock_opened(event: StockOpened) -> StockRow:
    return StockRow(**opened(event), product_id=event.product_id)


@stock.on(StockReceived)
def received(row: StockRow, event: StockReceived) -> StockRow:
    return stocked(row, on_hand=row.on_hand + event.quantity)


@stock.on(StockAdjusted)
def adjusted(row: StockRow, event: StockAdjusted) -> StockRow:
    return stocked(row, on_hand=row.on_hand + event.change)


@stock.on(StockCounted)
def counted(row: StockRow, event: StockCounted) -> StockRow:
    return stocked(row, on_hand=event.counted)


@stock.on(ThresholdSet)
def threshold_set(row: StockRow, event: ThresholdSet) -> StockRow:
    return stocked(row, threshold=event.threshold)


@stock.on(StockReserved)
def reserved(row: StockRow, event: StockReserved) -> StockRow:
    return stocked(row, reserved=row.reserved + event.quantity)


@stock.on(StockCommitted)
def committed(row: StockRow, event: StockCommitted) -> StockRow:
    return stocked(row, on_hand=row.on_hand - event.quantity, reserved=row.reserved - event.quantity)


@stock.on(StockReleased)
def released(row: StockRow, event: StockReleased) -> StockRow:
    return stocked(row, reserved=row.reserved - event.quantity)


@stock.on(StockClosed)
def closed(row: StockRow, event: StockClosed) -> StockRow:
    return replace(row, on_hand=0, available=0, status=StockStatus.CLOSED)


def stocked(row: StockRow, **changes: int) -> StockRow:
    row = replace(row, **changes)  # type: ignore[arg-type]  # the changed columns are all numbers
    available = row.on_hand - row.reserved
    return replace(row, available=available, status=level(available, row.threshold))


# -- categories


@categories.opens(CategoryCreated)
def created(event: CategoryCreated) -> CategoryRow:
    return CategoryRow(event.category_id, event.originator_version, event.timestamp, event.name, event.parent_id)


@categories.on(CategoryCreated)
def created_again(row: CategoryRow, event: CategoryCreated) -> CategoryRow:
    return created(event)


@categories.on(CategoryRenamed)
def renamed(row: CategoryRow, event: CategoryRenamed) -> CategoryRow:
    return replace(row, name=event.name)


@categories.on(CategoryMoved)
def moved(row: CategoryRow, event: CategoryMoved) -> CategoryRow:
    return replace(row, parent_id=event.parent_id)


@categories.on(CategoryRemoved)
def removed(row: CategoryRow, event: CategoryRemoved) -> CategoryRow:
    return replace(row, removed=True)
