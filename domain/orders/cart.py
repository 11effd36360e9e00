"""Decisions on a draft: what the customer puts into the cart, and placing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.event import JSON, after, first
from domain.ids import OrderId, ProductId, UserId, VariantId
from domain.lifecycle import require
from domain.money import CurrencyMismatch, Money, zero
from domain.orders.errors import DraftChanged, EmptyOrder, NoSuchLine, TooMany, TooManyLines
from domain.orders.events import LineAdded, LineChanged, LineRemoved, OrderDrafted, OrderLine, OrderPlaced
from domain.orders.order import MAX_LINES, Order, Status
from domain.value import MAX_QUANTITY, Address, PaymentMethod


@dataclass(frozen=True, slots=True)
class Item:
    """A variant at today's name and price, wanted so many times."""

    product_id: ProductId
    variant_id: VariantId
    sku: str
    name: str
    unit_price: Money
    quantity: int

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


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is bought and what it costs, with where it goes and how it is paid."""

    items: Sequence[Item]
    shipping: Money
    tax: Money
    address: Address
    payment_method: PaymentMethod
    payment_token: str | None
    note: str = ""

    @property
    def total(self) -> Money:
        goods = sum((item.unit_price * item.quantity for item in self.items), zero(self.shipping.currency))
        return goods + self.shipping + self.tax


def draft(id: OrderId, customer_id: UserId, currency: str, *, at: datetime) -> OrderDrafted:
    return OrderDrafted(**first(id, at), customer_id=customer_id, currency=currency)


def add_line(order: Order, item: Item, *, at: datetime) -> LineAdded | LineChanged:
    """A variant that is in the cart already keeps its line, which grows."""
    require(order, Status.DRAFT)
    if item.unit_price.currency != order.currency:
        raise CurrencyMismatch(order.currency, item.unit_price.currency)
    if present := find(order, item.variant_id):
        return LineChanged(
            **after(order, at), variant_id=item.variant_id, quantity=allowed(present.quantity + item.quantity)
        )
    if len(order.lines) == MAX_LINES:
        raise TooManyLines(MAX_LINES + 1, MAX_LINES)
    number = max((line.number for line in order.lines), default=0) + 1
    return LineAdded(**after(order, at), line=item.numbered(number))


def change_line(order: Order, variant_id: VariantId, quantity: int, *, at: datetime) -> LineChanged | None:
    require(order, Status.DRAFT)
    if line_of(order, variant_id).quantity == quantity:
        return None
    return LineChanged(**after(order, at), variant_id=variant_id, quantity=allowed(quantity))


def remove_line(order: Order, variant_id: VariantId, *, at: datetime) -> LineRemoved:
    require(order, Status.DRAFT)
    return LineRemoved(**after(order, at), variant_id=line_of(order, variant_id).variant_id)


def place(id: OrderId, customer_id: UserId, purchase: Purchase, *, at: datetime) -> OrderPlaced:
    """Orders in one go, without a draft."""
    return ordered(first(id, at), id, customer_id, purchase)


def place_draft(order: Order, purchase: Purchase, *, at: datetime) -> OrderPlaced:
    """Orders what is in the cart. Raises DraftChanged when that is not what `purchase` holds."""
    require(order, Status.DRAFT)
    if [(line.variant_id, line.quantity) for line in order.lines] != [
        (i.variant_id, i.quantity) for i in purchase.items
    ]:
        raise DraftChanged(order.id)
    return ordered(after(order, at), order.id, order.customer_id, purchase)


def ordered(identity: JSON, id: OrderId, customer_id: UserId, purchase: Purchase) -> OrderPlaced:
    if not purchase.items:
        raise EmptyOrder(id)
    if len(purchase.items) > MAX_LINES:
        raise TooManyLines(len(purchase.items), MAX_LINES)
    return OrderPlaced(
        **identity,
        customer_id=customer_id,
        lines=tuple(item.numbered(number) for number, item in enumerate(purchase.items, 1)),
        shipping=purchase.shipping,
        tax=purchase.tax,
        total=purchase.total,
        payment_method=purchase.payment_method,
        payment_token=purchase.payment_token,
        address=purchase.address,
        note=purchase.note,
    )


def find(order: Order, variant_id: VariantId) -> OrderLine | None:
    return next((line for line in order.lines if line.variant_id == variant_id), None)


def line_of(order: Order, variant_id: VariantId) -> OrderLine:
    if line := find(order, variant_id):
        return line
    raise NoSuchLine(order.id, variant_id, (line.variant_id for line in order.lines))


def allowed(quantity: int) -> int:
    if quantity > MAX_QUANTITY:
        raise TooMany(quantity, MAX_QUANTITY)
    return quantity
