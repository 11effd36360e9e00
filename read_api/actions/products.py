"""What could be done to a product."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from domain.actor import Actor
from domain.ids import CategoryId, ClaimId, ProductId, VariantId, new_id
from domain.money import MAX_AMOUNT, Money
from domain.products import product as products
from domain.products.product import Details, Product, Variant
from domain.products.value import Image
from projections.products.row import ProductRow
from read_api.actions.judging import Way

SAID: Final = "none"
PICTURE: Final = Image(url="https://example.org/picture.png")


def product_of(row: ProductRow) -> Product:
    """The aggregate, as far as its decisions look at it."""
    return Product(
        ProductId(row.id),
        row.version,
        row.status,
        Details(
            row.name, row.description, CategoryId(row.category_id) if row.category_id else None, dict(row.attributes)
        ),
        row.images,
        row.options,
        tuple(
            Variant(VariantId(v.id), v.sku, ClaimId(v.id), v.values, Money(amount=v.price, currency=row.currency))
            for v in row.variants
            if v.removed_at is None and row.currency
        ),
    )


def edit(product: Product, by: Actor, at: datetime) -> Any:
    other = replace(product.details, description="" if product.details.description else SAID)
    return products.edit(product, other, at=at)


def arrange_images(product: Product, by: Actor, at: datetime) -> Any:
    return products.arrange_images(product, () if product.images else (PICTURE,), at=at)


def add_variant(product: Product, by: Actor, at: datetime) -> Any:
    """One whose values no other has."""
    price = product.variants[0].price if product.variants else Money(amount=1, currency="EUR")
    values = {option: str(new_id()) for option in product.options}
    return products.add_variant(product, Variant(VariantId(new_id()), SAID, ClaimId(new_id()), values, price), at=at)


def remove_variant(product: Product, by: Actor, at: datetime) -> Any:
    return products.remove_variant(product, a_variant(product), at=at)


def change_price(product: Product, by: Actor, at: datetime) -> Any:
    price = product.variants[0].price if product.variants else Money(amount=1, currency="EUR")
    other = Money(amount=1 if price.amount == MAX_AMOUNT else price.amount + 1, currency=price.currency)
    return products.change_price(product, a_variant(product), other, at=at)


def a_variant(product: Product) -> VariantId:
    return product.variants[0].id if product.variants else VariantId(new_id())


WAYS: Final[tuple[Way[Product], ...]] = (
    Way("/v1/products/{id}/edit", edit),
    Way("/v1/products/{id}/arrange-images", arrange_images),
    Way("/v1/products/{id}/add-variant", add_variant),
    Way("/v1/products/{id}/remove-variant", remove_variant),
    Way("/v1/products/{id}/change-price", change_price),
    Way("/v1/products/{id}/activate", lambda product, _, at: products.activate(product, at=at)),
    Way("/v1/products/{id}/discontinue", lambda product, _, at: products.discontinue(product, at=at)),
)
