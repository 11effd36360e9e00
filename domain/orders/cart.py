"""Decisions on a draft: what the customer puts into the cart, and placing it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.event import JSON, after, first
from domain.ids import OrderId, UserId, VariantId
from domain.lifecycle import require
from domain.money import CurrencyMismatch, Money
from domain.orders.errors import DraftChanged, EmptyOrder, NoSuchLine, PriceChanged, TooMany, TooManyLines
from domain.orders.events import LineAdded, LineChanged, LineRemoved, OrderDrafted, OrderLine, OrderPlaced
from domain.orders.order import MAX_LINES, Order, Status
from domain.orders.quote import Item, Quote
from domain.value import MAX_QUANTITY, Address, PaymentMethod


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is bought at which price, what the customer agreed to pay, where it goes and how it is paid."""

    quote: Quote
    agreed: Money
    address: Address
    payment_method: PaymentMethod
    payment_token: str | None
    note: str = ""


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
    if contents(order.lines) != contents(purchase.quote.lines):
        raise DraftChanged(order.id)
    return ordered(after(order, at), order.id, order.customer_id, purchase)


def ordered(identity: JSON, id: OrderId, customer_id: UserId, purchase: Purchase) -> OrderPlaced:
    """Raises EmptyOrder, TooManyLines, PriceChanged."""
    quote = purchase.quote
    if not quote.lines:
        raise EmptyOrder(id)
    if len(quote.lines) > MAX_LINES:
        raise TooManyLines(len(quote.lines), MAX_LINES)
    if quote.total != purchase.agreed:
        raise PriceChanged(purchase.agreed, quote)
    return OrderPlaced(
        **identity,
        customer_id=customer_id,
        lines=tuple(item.numbered(number) for number, item in enumerate(quote.lines, 1)),
        shipping=quote.shipping,
        tax=quote.tax,
        total=quote.total,
        payment_method=purchase.payment_method,
        payment_token=purchase.payment_token,
        address=purchase.address,
        note=purchase.note,
    )


def contents(lines: Iterable[OrderLine | Item]) -> list[tuple[VariantId, int]]:
    return [(line.variant_id, line.quantity) for line in lines]


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
