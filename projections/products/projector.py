"""Products, their stock and their categories as they are looked up: one small function per event type."""

from __future__ import annotations

from collections.abc import Iterable
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
    ReservationCommitted,
    ReservationEvent,
    ReservationHeld,
    ReservationReleased,
    ReservationReturned,
    StockAdjusted,
    StockClosed,
    StockCommitted,
    StockCounted,
    StockEvent,
    StockOpened,
    StockReceived,
    StockReleased,
    StockReserved,
    StockReturned,
    ThresholdSet,
    VariantAdded,
    VariantRemoved,
)
from domain.products.product import ProductStatus
from domain.products.reservation import ReservationStatus
from domain.products.sku import normalised
from domain.products.stock import StockStatus, level
from projections.model import Model, Projector, opened
from projections.products.row import (
    CategoryRow,
    HeldRow,
    PriceRow,
    ProductRow,
    ProductSearchRow,
    ReservationRow,
    SoldRow,
    StockRow,
    VariantRow,
)
from projections.row import replace
from projections.words import folded, vector

products = Projector("products", ProductRow, ProductEvent)
search = Projector("product_search", ProductSearchRow, ProductEvent)
stock = Projector("stock", StockRow, StockEvent)
reservations = Projector("reservations", ReservationRow, ReservationEvent)


def category_of(event: CategoryEvent) -> UUID:
    return event.category_id


categories = Projector("categories", CategoryRow, CategoryEvent, key=category_of)

PRODUCTS = Model("products", contexts=("products",), projectors=(products, search, stock, reservations, categories))


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
    """What comes again and again touches one variant, and of what `priced` finds out the prices."""
    variants, id = list(row.variants), event.variant_id.int  # compared faster than the id itself
    number = next(number for number, v in enumerate(variants) if v.id.int == id)
    prices = (*variants[number].prices, PriceRow(event.timestamp, event.new.amount))
    variants[number] = replace(variants[number], prices=prices)
    least, greatest = between(variants)
    return replace(row, variants=tuple(variants), min_price=least, max_price=greatest)


@products.on(ProductActivated)
def activated(row: ProductRow, event: ProductActivated) -> ProductRow:
    return replace(
        row,
        status=ProductStatus.ACTIVE,
        first_activated_at=row.first_activated_at or event.timestamp,
        activated_at=event.timestamp,
        discontinued_at=None,
    )


@products.on(ProductDiscontinued)
def discontinued(row: ProductRow, event: ProductDiscontinued) -> ProductRow:
    return replace(row, status=ProductStatus.DISCONTINUED, discontinued_at=event.timestamp)


def with_variant(row: ProductRow, id: UUID, **changes: Any) -> ProductRow:
    return priced(row, (replace(v, **changes) if v.id == id else v for v in row.variants))


def priced(row: ProductRow, variants: Iterable[VariantRow]) -> ProductRow:
    """The product with these variants, their SKUs, and their least and greatest price."""
    variants = tuple(variants)
    skus = tuple(normalised(v.sku) for v in variants if v.removed_at is None)
    least, greatest = between(variants)
    return replace(row, variants=variants, skus=skus, min_price=least, max_price=greatest)


def between(variants: Iterable[VariantRow]) -> tuple[int, int]:
    """Their least and their greatest price."""
    prices = [v.price for v in variants if v.removed_at is None]
    return min(prices), max(prices)


# -- what products are found by: a row of its own, so that lists and counts read no more than they need


@search.opens(ProductDrafted)
def search_drafted(event: ProductDrafted) -> ProductSearchRow:
    return ProductSearchRow(
        **opened(event),
        status=ProductStatus.DRAFT,
        name_key=folded(event.name),
        category_id=event.category_id,
        attributes=event.attributes,
        said=said(event),
        created_at=event.timestamp,
    )


@search.on(ProductEdited)
def search_edited(row: ProductSearchRow, event: ProductEdited) -> ProductSearchRow:
    return replace(
        row,
        name_key=folded(event.name),
        category_id=event.category_id,
        attributes=event.attributes,
        said=said(event),
    )


@search.on(VariantAdded)
def search_variant_added(row: ProductSearchRow, event: VariantAdded) -> ProductSearchRow:
    variant = SoldRow(event.variant_id, event.sku, event.values, event.price.amount)
    return selling(replace(row, currency=event.price.currency), (*row.variants, variant))


@search.on(VariantRemoved)
def search_variant_removed(row: ProductSearchRow, event: VariantRemoved) -> ProductSearchRow:
    return selling(row, (v for v in row.variants if v.id != event.variant_id))


@search.on(PriceChanged)
def search_price_changed(row: ProductSearchRow, event: PriceChanged) -> ProductSearchRow:
    """Of what is found by words nothing is another, and their vector is what takes longest."""
    price = event.new.amount
    variants = tuple(replace(v, price=price) if v.id == event.variant_id else v for v in row.variants)
    return replace(row, variants=variants, min_price=min(v.price for v in variants))


@search.on(ProductActivated)
def search_activated(row: ProductSearchRow, event: ProductActivated) -> ProductSearchRow:
    return replace(row, status=ProductStatus.ACTIVE)


@search.on(ProductDiscontinued)
def search_discontinued(row: ProductSearchRow, event: ProductDiscontinued) -> ProductSearchRow:
    return replace(row, status=ProductStatus.DISCONTINUED)


def said(event: ProductDrafted | ProductEdited) -> str:
    """The name counts for more than an attribute, and that for more than the description."""
    attributes = [(text, "C") for attribute in event.attributes.items() for text in attribute]
    return vector((event.name, "A"), *attributes, (event.description, "D"))


def selling(row: ProductSearchRow, variants: Iterable[SoldRow]) -> ProductSearchRow:
    variants = tuple(variants)
    texts = [text for v in variants for text in ((v.sku, "B"), *((value, "C") for value in v.values.values()))]
    return replace(row, variants=variants, sold=vector(*texts), min_price=min(v.price for v in variants))


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


@stock.on(StockReturned)
def taken_back(row: StockRow, event: StockReturned) -> StockRow:
    return stocked(row, on_hand=row.on_hand + event.quantity)


@stock.on(StockClosed)
def closed(row: StockRow, event: StockClosed) -> StockRow:
    return replace(row, on_hand=0, available=0, status=StockStatus.CLOSED)


def stocked(row: StockRow, **changes: int) -> StockRow:
    row = replace(row, **changes)  # type: ignore[arg-type]  # the changed columns are all numbers
    available = row.on_hand - row.reserved
    return replace(row, available=available, status=level(available, row.threshold))


# -- what is held for orders


@reservations.opens(ReservationHeld)
def held(event: ReservationHeld) -> ReservationRow:
    lines = tuple(HeldRow(line.variant_id, line.quantity) for line in event.lines)
    return ReservationRow(**opened(event), order_id=event.order_id, lines=lines, held_at=event.timestamp)


@reservations.on(ReservationCommitted)
def reservation_committed(row: ReservationRow, event: ReservationCommitted) -> ReservationRow:
    return replace(row, status=ReservationStatus.COMMITTED, ended_at=event.timestamp)


@reservations.on(ReservationReleased)
def reservation_released(row: ReservationRow, event: ReservationReleased) -> ReservationRow:
    return replace(row, status=ReservationStatus.RELEASED, ended_at=event.timestamp)


@reservations.on(ReservationReturned)
def reservation_returned(row: ReservationRow, event: ReservationReturned) -> ReservationRow:
    return replace(row, status=ReservationStatus.RETURNED, returned_at=event.timestamp)


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
