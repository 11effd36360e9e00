"""An order's usual history, one event a name."""

from __future__ import annotations

from uuid import UUID

from domain.ids import (
    OrderId,
    ProductId,
    ReturnId,
    ShipmentId,
    UserId,
    VariantId,
    cancellation_of,
    checkout_of,
    derive,
    payment_of,
    refund_of,
    return_of,
)
from domain.money import Money
from domain.orders.cart import Purchase
from domain.orders.events import (
    CancellationRequested,
    CancelReason,
    LineAdded,
    LineChanged,
    LineRemoved,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderDrafted,
    OrderExpired,
    OrderLine,
    OrderPlaced,
    OrderRejected,
    OrderReturned,
    OrderShipped,
    Portion,
    RejectReason,
    SagaAssigned,
    SagaReleased,
)
from domain.orders.order import Status, evolve
from domain.orders.quote import Item, Quote, goods
from domain.value import Address, PaymentMethod
from tests.specification import Specification, a

ORDER = derive("test", "order")
CUSTOMER = UserId(derive("test", "customer"))
STAFF = UserId(derive("test", "staff"))
TEA = VariantId(derive("test", "tea"))
CUP = VariantId(derive("test", "cup"))
FIRST, SECOND = ShipmentId(derive("test", "first")), ShipmentId(derive("test", "second"))
RETURN, SECOND_RETURN, THIRD_RETURN = (ReturnId(derive("test", name)) for name in ("return", "return 2", "return 3"))
CHECKOUT, CANCELLATION = checkout_of(payment_of(OrderId(ORDER))), cancellation_of(payment_of(OrderId(ORDER)))
RETURNING, RETURNING_MORE = (return_of(refund_of(OrderId(ORDER), each)) for each in (RETURN, SECOND_RETURN))
HOME = Address(name="Ada Lovelace", line1="12 St James Square", postal_code="SW1Y 4JH", city="London", country="GB")


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def item(variant: VariantId, quantity: int = 1, price: Money | None = None) -> Item:
    return Item(
        product_id=ProductId(UUID(int=variant.int ^ 1)),
        variant_id=variant,
        sku="SKU-1",
        name="Something",
        unit_price=price or eur(1000),
        quantity=quantity,
    )


def line(number: int, variant: VariantId, quantity: int, price: int = 1000) -> OrderLine:
    return item(variant, quantity, eur(price)).numbered(number)


def quote(*items: Item, shipping: int = 490, tax: int = 665) -> Quote:
    total = goods(items, "EUR") + eur(shipping) + eur(tax)
    return Quote(lines=items, shipping=eur(shipping), tax=eur(tax), total=total)


def purchase(*items: Item, shipping: int = 490, tax: int = 665, agreed: Money | None = None) -> Purchase:
    quoted = quote(*items, shipping=shipping, tax=tax)
    return Purchase(quoted, agreed or quoted.total, HOME, PaymentMethod.CREDIT_CARD, "pm_card", "Ring twice")


def portion(line: int, quantity: int) -> Portion:
    return Portion(line=line, quantity=quantity)


order = Specification(ORDER, evolve)

drafted = a(OrderDrafted, customer_id=CUSTOMER, currency="EUR")
tea_added = a(LineAdded, line=line(1, TEA, 2))
cup_added = a(LineAdded, line=line(2, CUP, 1))
tea_changed = a(LineChanged, variant_id=TEA, quantity=3)
tea_removed = a(LineRemoved, variant_id=TEA)
placed = a(
    OrderPlaced,
    customer_id=CUSTOMER,
    lines=(line(1, TEA, 2), line(2, CUP, 1)),
    shipping=eur(490),
    tax=eur(665),
    total=eur(4155),
    payment_method=PaymentMethod.CREDIT_CARD,
    payment_token="pm_card",
    address=HOME,
    note="Ring twice",
)
confirmed = a(OrderConfirmed)
rejected = a(OrderRejected, customer_id=CUSTOMER, reason=RejectReason.OUT_OF_STOCK, note="")
expired = a(OrderExpired)
cancel_pending = a(
    CancellationRequested, customer_id=CUSTOMER, reason=CancelReason.CUSTOMER, asked_by=CUSTOMER, note="Too late"
)
cancelled = a(OrderCancelled, customer_id=CUSTOMER, reason=CancelReason.CUSTOMER, asked_by=CUSTOMER, note="")
tea_shipped = a(
    OrderShipped, shipment_id=FIRST, lines=(portion(1, 2),), carrier="DHL", tracking="00340434", complete=False
)
cup_shipped = a(OrderShipped, shipment_id=SECOND, lines=(portion(2, 1),), carrier="DHL", tracking=None, complete=True)
tea_delivered = a(OrderDelivered, shipment_id=FIRST, complete=False)
cup_delivered = a(OrderDelivered, shipment_id=SECOND, complete=True)
tea_returned = a(
    OrderReturned,
    customer_id=CUSTOMER,
    return_id=RETURN,
    lines=(portion(1, 2),),
    restock=True,
    refund=eur(2381),
    asked_by=CUSTOMER,
    note="Too bitter",
    complete=False,
)
cup_returned = a(
    OrderReturned,
    customer_id=CUSTOMER,
    return_id=SECOND_RETURN,
    lines=(portion(2, 1),),
    restock=True,
    refund=eur(1774),
    asked_by=CUSTOMER,
    note="",
    complete=True,
)
released = a(SagaReleased, saga_id=CHECKOUT)  # its checkout is done with it
cancelling = a(SagaAssigned, saga_id=CANCELLATION, process="cancellation")
returning = a(SagaAssigned, saga_id=RETURNING, process="return")
returning_more = a(SagaAssigned, saga_id=RETURNING_MORE, process="return")

DELIVERED = (placed, confirmed, tea_shipped, cup_shipped, tea_delivered, cup_delivered)

WAYS_TO = {
    Status.DRAFT: (drafted, tea_added, cup_added),
    Status.PLACED: (placed,),
    Status.CONFIRMED: (placed, confirmed),
    Status.PARTIALLY_SHIPPED: (placed, confirmed, tea_shipped),
    Status.SHIPPED: (placed, confirmed, tea_shipped, cup_shipped),
    Status.DELIVERED: DELIVERED,
    Status.RETURNED: (*DELIVERED, tea_returned, cup_returned),
    Status.REJECTED: (placed, rejected),
    Status.EXPIRED: (placed, expired),
    Status.CANCEL_PENDING: (placed, cancel_pending),
    Status.CANCELLED: (placed, cancel_pending, cancelled),
}
"""The shortest usual history that leads to each status."""
