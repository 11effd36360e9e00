"""What an order would cost at this moment. Nothing of a quote is stored; placing checks against a fresh one."""

from __future__ import annotations

from collections.abc import Iterable

from domain.ids import ProductId, VariantId
from domain.money import Money, zero
from domain.orders.events import OrderLine, Quantity
from domain.value import Value


class Item(Value):
    """A variant at today's name and price, wanted so many times."""

    product_id: ProductId
    variant_id: VariantId
    sku: str
    name: str
    unit_price: Money
    quantity: Quantity

    def numbered(self, number: int) -> OrderLine:
        return OrderLine(
            number=number,
            product_id=self.product_id,
            variant_id=self.variant_id,
            sku=self.sku,
            name=self.name,
            unit_price=self.unit_price,
            quantity=self.quantity,
        )


class Quote(Value):
    """total = sum of unit price x quantity, plus shipping, plus tax."""

    lines: tuple[Item, ...]
    shipping: Money
    tax: Money
    total: Money


def goods(lines: Iterable[Item], currency: str) -> Money:
    """What the lines cost, without shipping and tax. Raises CurrencyMismatch, AmountTooLarge."""
    return sum((line.unit_price * line.quantity for line in lines), zero(currency))
