"""What could be done to an order."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from domain.actor import Actor
from domain.ids import OrderId, ProductId, ReturnId, SagaId, ShipmentId, UserId, VariantId, new_id
from domain.money import Money
from domain.orders import cancellation, cart, fulfilment
from domain.orders.events import CancellationRequested, CancelReason, OrderLine, Portion, RejectReason
from domain.orders.order import Cancellation, Order, Return, Shipment, Status
from domain.orders.quote import Item, Quote
from domain.value import Address, PaymentMethod
from projections.orders.row import OrderRow, PortionRow
from read_api.actions.judging import Way

SOMEWHERE: Final = Address(name="None", line1="None", postal_code="None", city="None", country="DE")
SAID: Final = "none"


def order_of(row: OrderRow) -> Order:
    """The aggregate, as far as its decisions look at it."""
    shipping, tax, total = (Money(amount=each, currency=row.currency) for each in (row.shipping, row.tax, row.total))
    return Order(
        OrderId(row.id),
        row.version,
        row.status,
        UserId(row.customer_id),
        row.currency,
        lines(row),
        shipping,
        tax,
        total,
        row.payment_method,
        tuple(Shipment(ShipmentId(s.id), portions(s.lines), s.delivered_at is not None) for s in row.shipments),
        returns(row),
        delivered_at(row),
        wish(row),
        SagaId(row.saga_id) if row.saga_id else None,
    )


def lines(row: OrderRow) -> tuple[OrderLine, ...]:
    return tuple(
        OrderLine(
            number=line.number,
            product_id=ProductId(line.product_id),
            variant_id=VariantId(line.variant_id),
            sku=line.sku,
            name=line.name,
            unit_price=Money(amount=line.unit_price, currency=row.currency),
            quantity=line.quantity,
        )
        for line in row.lines
    )


def portions(rows: tuple[PortionRow, ...]) -> tuple[Portion, ...]:
    return tuple(Portion(line=each.line, quantity=each.quantity) for each in rows)


def returns(row: OrderRow) -> tuple[Return, ...]:
    return tuple(
        Return(ReturnId(each.id), portions(each.lines), Money(amount=each.refund, currency=row.currency))
        for each in row.returns
    )


def delivered_at(row: OrderRow) -> datetime | None:
    return next((entry.at for entry in row.timeline if entry.status is Status.DELIVERED), None)


def wish(row: OrderRow) -> Cancellation | None:
    asked = (e.reason for e in row.timeline if e.event == CancellationRequested.TOPIC)
    return next((Cancellation(reason, None) for reason in asked if isinstance(reason, CancelReason)), None)


def place(order: Order, by: Actor, at: datetime) -> Any:
    items = tuple(Item.model_validate(line.model_dump(exclude={"number"})) for line in order.lines)
    quote = Quote(lines=items, shipping=order.shipping, tax=order.tax, total=order.total)
    purchase = cart.Purchase(quote, quote.total, SOMEWHERE, PaymentMethod.CREDIT_CARD, None)
    return cart.place_draft(order, purchase, at=at)


def add_line(order: Order, by: Actor, at: datetime) -> Any:
    """Of something that is not in the cart."""
    item = Item(
        product_id=ProductId(new_id()),
        variant_id=VariantId(new_id()),
        sku=SAID,
        name=SAID,
        unit_price=Money(amount=1, currency=order.currency),
        quantity=1,
    )
    return cart.add_line(order, item, at=at)


def change_line(order: Order, by: Actor, at: datetime) -> Any:
    line = a_line(order)
    other = 2 if order.lines and order.lines[0].quantity == 1 else 1
    return cart.change_line(order, line, other, at=at)


def remove_line(order: Order, by: Actor, at: datetime) -> Any:
    return cart.remove_line(order, a_line(order), at=at)


def a_line(order: Order) -> VariantId:
    return order.lines[0].variant_id if order.lines else VariantId(new_id())


def cancel(order: Order, by: Actor, at: datetime) -> Any:
    return cancellation.cancel(order, CancelReason.STAFF, SAID, asked_by=person(by), at=at)


def give_back(order: Order, by: Actor, at: datetime) -> Any:
    return fulfilment.give_back(order, ReturnId(new_id()), (), asked_by=person(by), note=SAID, restock=False, at=at)


def person(by: Actor) -> UserId | None:
    return UserId(by.id) if by.id else None


def ship(order: Order, by: Actor, at: datetime) -> Any:
    return fulfilment.ship(order, ShipmentId(new_id()), (), SAID, None, at=at)


WAYS: Final[tuple[Way[Order], ...]] = (
    Way("/v1/orders/{id}/add-line", add_line),
    Way("/v1/orders/{id}/change-line", change_line),
    Way("/v1/orders/{id}/remove-line", remove_line),
    Way("/v1/orders", place, "place"),
    Way("/v1/orders/{id}/cancel", cancel),
    Way("/v1/orders/{id}/return", give_back),
    Way("/v1/orders/{id}/ship", ship),
    Way("/v1/orders/{id}/deliver", lambda order, _, at: fulfilment.deliver(order, None, at=at)),
    Way("/v1/orders/{id}/confirm", lambda order, _, at: fulfilment.confirm(order, at=at)),
    Way(
        "/v1/orders/{id}/reject",
        lambda order, _, at: fulfilment.reject(order, RejectReason.REFUSED_BY_SHOP, SAID, at=at),
    ),
    Way("/v1/orders/{id}/expire", lambda order, _, at: fulfilment.expire(order, at=at)),
    Way("/v1/orders/{id}/close", lambda order, _, at: cancellation.close(order, SAID, at=at)),
)
