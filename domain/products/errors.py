"""Why something is refused in the catalogue and the warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.errors import DomainError, Kind
from domain.ids import CategoryId, ProductId, ReservationId, VariantId


class SkuTakenAlready(DomainError):
    code = "SKU_TAKEN"
    title = "Another variant has this SKU"

    def __init__(self, sku: str) -> None:
        super().__init__(f"the SKU {sku} belongs to another variant: choose another one", sku=sku)


class VariantMismatch(DomainError):
    code = "VARIANT_MISMATCH"
    title = "The variants do not fit the product's options"
    kind = Kind.INVALID


class UnknownVariant(DomainError):
    code = "UNKNOWN_VARIANT"
    title = "The product has no such variant"
    kind = Kind.NOT_FOUND

    def __init__(self, product_id: ProductId, variant_id: VariantId) -> None:
        super().__init__(
            f"product {product_id} has no variant {variant_id}", productId=str(product_id), variantId=str(variant_id)
        )


class LastVariant(DomainError):
    code = "LAST_VARIANT"
    title = "A product has at least one variant"

    def __init__(self, product_id: ProductId) -> None:
        super().__init__(
            f"product {product_id} has no other variant: discontinue the product instead", productId=str(product_id)
        )


@dataclass(frozen=True, slots=True)
class Short:
    """A line that cannot be had."""

    variant_id: VariantId
    asked: int
    available: int

    def __str__(self) -> str:
        return f"{self.asked} of {self.variant_id} asked, {self.available} available"


class InsufficientStock(DomainError):
    """Facts: `short`, a list of `{variantId, asked, available}`, one for every line that cannot be had."""

    code = "INSUFFICIENT_STOCK"
    title = "There is not enough in stock"

    def __init__(self, short: Sequence[Short]) -> None:
        super().__init__(
            "; ".join(map(str, short)),
            short=[{"variantId": str(s.variant_id), "asked": s.asked, "available": s.available} for s in short],
        )


class StockHeld(DomainError):
    code = "STOCK_HELD"
    title = "Units that are held for orders cannot be taken away"

    def __init__(self, variant_id: UUID, left: int, held: int) -> None:
        super().__init__(
            f"this would leave {left} of {variant_id} on hand; at least {held}, held for orders, must stay",
            variantId=str(variant_id),
            left=left,
            held=held,
        )


class StockLimit(DomainError):
    code = "STOCK_LIMIT"
    title = "More than can be kept in one stock"

    def __init__(self, variant_id: UUID, quantity: int, maximum: int) -> None:
        super().__init__(
            f"{variant_id} would have {quantity} units on hand; at most {maximum} are possible",
            variantId=str(variant_id),
            maximum=maximum,
        )


class NotHeld(DomainError):
    code = "NOT_HELD"
    title = "The stock holds nothing for this reservation"

    def __init__(self, variant_id: UUID, reservation_id: ReservationId) -> None:
        super().__init__(
            f"{variant_id} holds nothing for reservation {reservation_id}",
            variantId=str(variant_id),
            reservationId=str(reservation_id),
        )


class VariantsGone(DomainError):
    """Facts: `variants`, all of those asked for whose stock is closed."""

    code = "STOCK_CLOSED"
    title = "Variants that are gone have no stock any more"

    def __init__(self, variants: Iterable[VariantId]) -> None:
        names = sorted(str(v) for v in variants)
        super().__init__(
            f"the stock of these variants is closed: {', '.join(names)}; leave their lines out", variants=names
        )


class CategoryCycle(DomainError):
    code = "CATEGORY_CYCLE"
    title = "A category cannot be below itself"

    def __init__(self, category_id: CategoryId, path: Iterable[CategoryId]) -> None:
        """`path` leads from the top to the wanted parent."""
        super().__init__(
            f"category {category_id} cannot be moved below itself", id=str(category_id), path=[str(c) for c in path]
        )


class CategoryNotEmpty(DomainError):
    code = "CATEGORY_NOT_EMPTY"
    title = "The category has others below it"

    def __init__(self, category_id: CategoryId, below: int) -> None:
        super().__init__(
            f"category {category_id} has {below} categories below it: move or remove them first",
            id=str(category_id),
            below=below,
        )


class CategoryNameTaken(DomainError):
    code = "CATEGORY_NAME_TAKEN"
    title = "There is a category of this name at the same place"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a category {name!r} at this place already", name=name)


class CategoryLimit(DomainError):
    code = "CATEGORY_LIMIT"
    title = "The category tree is full"
