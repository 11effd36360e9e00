"""A product and its variants: what is for sale, and at which price."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.errors import AlreadyExists
from domain.event import JSON, after, first
from domain.ids import CategoryId, ClaimId, ProductId, VariantId
from domain.lifecycle import require
from domain.money import CurrencyMismatch, Money
from domain.products.errors import LastVariant, SkuTakenAlready, UnknownVariant, VariantMismatch
from domain.products.events import (
    ImagesArranged,
    PriceChanged,
    ProductActivated,
    ProductDiscontinued,
    ProductDrafted,
    ProductEdited,
    ProductEvent,
    VariantAdded,
    VariantRemoved,
)
from domain.products.value import MAX_VARIANTS, Image


class ProductStatus(StrEnum):
    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    DISCONTINUED = "DISCONTINUED"


CHANGEABLE: Final = (ProductStatus.DRAFT, ProductStatus.ACTIVE)


@dataclass(frozen=True, slots=True)
class Variant:
    """`values` has one value for each of the product's options: `{"size": "M"}`."""

    id: VariantId
    sku: str
    claim_id: ClaimId
    values: dict[str, str]
    price: Money


@dataclass(frozen=True, slots=True)
class Details:
    """What is said about a product."""

    name: str
    description: str
    category_id: CategoryId | None
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Product:
    id: ProductId
    version: int
    status: ProductStatus
    details: Details
    images: tuple[Image, ...]
    options: tuple[str, ...]
    variants: tuple[Variant, ...] = ()

    def variant(self, id: VariantId) -> Variant:
        """Raises UnknownVariant."""
        found = next((v for v in self.variants if v.id == id), None)
        if found is None:
            raise UnknownVariant(self.id, id)
        return found

    def title_of(self, variant: Variant) -> str:
        """How the variant is called on an order: `T-shirt (M, blue)`."""
        values = ", ".join(variant.values[option] for option in self.options)
        return f"{self.details.name} ({values})" if values else self.details.name


def draft(
    id: ProductId,
    details: Details,
    images: tuple[Image, ...],
    options: tuple[str, ...],
    variants: Sequence[Variant],
    *,
    at: datetime,
) -> list[ProductEvent]:
    """The product with its variants, at least one; exactly one if it has no options."""
    drafted = ProductDrafted(**first(id, at), **said(details), images=images, options=options)
    if len(set(options)) < len(options):
        raise VariantMismatch(f"an option is named twice in {', '.join(options)}", options=list(options))
    if not variants:
        raise VariantMismatch("a product has at least one variant")
    events: list[ProductEvent] = [drafted]
    product = evolve(None, drafted)
    for variant in variants:
        events.append(added := add_variant(product, variant, at=at))
        product = evolve(product, added)
    return events


def edit(product: Product, details: Details, *, at: datetime) -> ProductEdited | None:
    require(product, *CHANGEABLE)
    if details == product.details:
        return None
    return ProductEdited(**after(product, at), **said(details))


def arrange_images(product: Product, images: tuple[Image, ...], *, at: datetime) -> ImagesArranged | None:
    require(product, *CHANGEABLE)
    if images == product.images:
        return None
    return ImagesArranged(**after(product, at), images=images)


def add_variant(product: Product, variant: Variant, *, at: datetime) -> VariantAdded:
    require(product, *CHANGEABLE)
    check_fits(product, variant)
    return VariantAdded(
        **after(product, at),
        variant_id=variant.id,
        sku=variant.sku,
        claim_id=variant.claim_id,
        values=variant.values,
        price=variant.price,
    )


def remove_variant(product: Product, id: VariantId, *, at: datetime) -> VariantRemoved:
    """Raises LastVariant. Its claim and its stock are to be let go in the same append."""
    require(product, *CHANGEABLE)
    variant = product.variant(id)
    if len(product.variants) == 1:
        raise LastVariant(product.id)
    return VariantRemoved(**after(product, at), variant_id=variant.id)


def change_price(product: Product, id: VariantId, price: Money, *, at: datetime) -> PriceChanged | None:
    require(product, *CHANGEABLE)
    variant = product.variant(id)
    if price == variant.price:
        return None
    check_currency(product, price)
    return PriceChanged(**after(product, at), variant_id=id, old=variant.price, new=price)


def activate(product: Product, *, at: datetime) -> ProductActivated | None:
    if product.status is ProductStatus.ACTIVE:
        return None  # asked twice
    return ProductActivated(**after(product, at))


def discontinue(product: Product, *, at: datetime) -> ProductDiscontinued | None:
    if product.status is ProductStatus.DISCONTINUED:
        return None  # asked twice
    require(product, ProductStatus.ACTIVE)
    return ProductDiscontinued(**after(product, at))


def check_fits(product: Product, variant: Variant) -> None:
    """The variant says a value for each option and for nothing else, and no other variant says the same."""
    if set(variant.values) != set(product.options):
        wanted = ", ".join(product.options) or "none: it has one variant"
        raise VariantMismatch(
            f"{variant.sku} must name a value for each option ({wanted})", options=list(product.options)
        )
    if any(v.id == variant.id for v in product.variants):
        raise AlreadyExists("variant", variant.id)
    if any(v.claim_id == variant.claim_id for v in product.variants):
        raise SkuTakenAlready(variant.sku)
    if same := next((v for v in product.variants if v.values == variant.values), None):
        raise VariantMismatch(f"{variant.sku} has the same values as {same.sku}", sku=same.sku)
    if len(product.variants) >= MAX_VARIANTS:
        raise VariantMismatch(f"a product has at most {MAX_VARIANTS} variants", maximum=MAX_VARIANTS)
    check_currency(product, variant.price)


def check_currency(product: Product, price: Money) -> None:
    """All variants of a product are sold in one currency, so that they can be compared."""
    others = [v.price.currency for v in product.variants if v.price.currency != price.currency]
    if others:
        raise CurrencyMismatch(others[0], price.currency)


def said(details: Details) -> JSON:
    return {
        "name": details.name,
        "description": details.description,
        "category_id": details.category_id,
        "attributes": details.attributes,
    }


def evolve(product: Product | None, event: ProductEvent) -> Product:
    if isinstance(event, ProductDrafted):
        id, version = ProductId(event.originator_id), event.originator_version
        return Product(id, version, ProductStatus.DRAFT, details_of(event), event.images, event.options)
    assert product is not None
    return replace(changed(product, event), version=event.originator_version)


def changed(product: Product, event: ProductEvent) -> Product:
    match event:
        case ProductEdited():
            return replace(product, details=details_of(event))
        case ImagesArranged():
            return replace(product, images=event.images)
        case VariantAdded():
            return replace(product, variants=(*product.variants, variant_of(event)))
        case VariantRemoved(variant_id=id):
            return replace(product, variants=tuple(v for v in product.variants if v.id != id))
        case PriceChanged(variant_id=id, new=price):
            return replace(product, variants=tuple(each(product.variants, id, lambda v: replace(v, price=price))))
        case ProductActivated():
            return replace(product, status=ProductStatus.ACTIVE)
        case ProductDiscontinued():
            return replace(product, status=ProductStatus.DISCONTINUED)
        case _:
            raise TypeError(f"{type(event).__name__} is no event of a product")


def each(variants: Iterable[Variant], id: VariantId, change: Callable[[Variant], Variant]) -> Iterable[Variant]:
    return (change(v) if v.id == id else v for v in variants)


def details_of(event: ProductDrafted | ProductEdited) -> Details:
    return Details(event.name, event.description, event.category_id, event.attributes)


def variant_of(event: VariantAdded) -> Variant:
    return Variant(event.variant_id, event.sku, event.claim_id, event.values, event.price)
