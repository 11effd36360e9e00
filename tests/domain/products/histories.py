"""Events from which the specifications of this context start."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from domain.ids import CategoryId, ClaimId, OrderId, ProductId, ReservationId, VariantId
from domain.money import Money
from domain.products import categories, product, reservation, stock
from domain.products.events import (
    ProductDrafted,
    ReservationHeld,
    StockOpened,
    StockReceived,
    StockReserved,
    VariantAdded,
)
from domain.products.product import Details, Variant
from domain.products.value import ReservedLine
from tests.specification import Make, Specification, a

ROOT = UUID("00000000-0000-7000-8000-000000000001")


def named(name: str) -> UUID:
    return uuid5(ROOT, name)


SHIRT = ProductId(named("shirt"))
SMALL, LARGE = VariantId(named("small")), VariantId(named("large"))
MUG = VariantId(named("mug"))
ORDER, OTHER_ORDER = OrderId(named("order")), OrderId(named("other order"))
HELD, OTHER = ReservationId(named("held")), ReservationId(named("other"))
TOYS, DOLLS, TRAINS = CategoryId(named("toys")), CategoryId(named("dolls")), CategoryId(named("trains"))

SHIRTS = Specification(SHIRT, product.evolve)
STOCK = Specification(MUG, stock.evolve)
RESERVATION = Specification(HELD, reservation.evolve)
TREE = Specification(categories.TREE, categories.evolve)


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def variant(id: VariantId, size: str = "", price: int = 1000, **changes: Any) -> Variant:
    values = {"size": size} if size else {}
    fields: dict[str, Any] = {
        "sku": f"SHIRT-{size}",
        "claim_id": ClaimId(named(f"claim {id}")),
        "values": values,
        "price": eur(price),
    }
    return Variant(id, **({"values": values} | fields | changes))


def added(variant: Variant) -> Make:
    return a(
        VariantAdded,
        variant_id=variant.id,
        sku=variant.sku,
        claim_id=variant.claim_id,
        values=variant.values,
        price=variant.price,
    )


DETAILS = Details("T-shirt", "Soft.", None, {"material": "cotton"})
drafted = a(
    ProductDrafted,
    name="T-shirt",
    description="Soft.",
    category_id=None,
    attributes={"material": "cotton"},
    images=(),
    options=("size",),
)
small, large = added(variant(SMALL, "S")), added(variant(LARGE, "L"))

opened = a(StockOpened, product_id=SHIRT)


def received(quantity: int) -> Make:
    return a(StockReceived, quantity=quantity)


def reserved(quantity: int, id: ReservationId = HELD) -> Make:
    return a(StockReserved, reservation_id=id, order_id=ORDER, quantity=quantity)


def line(variant_id: VariantId, quantity: int) -> ReservedLine:
    return ReservedLine(variant_id=variant_id, quantity=quantity)


held = a(ReservationHeld, order_id=ORDER, lines=(line(SMALL, 2), line(LARGE, 1)))
