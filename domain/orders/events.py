"""What happened to an order, from the first line in the cart to the last one that came back."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from domain.event import JSON, Event, PersonalData
from domain.ids import ProductId, ReturnId, SagaId, ShipmentId, UserId, VariantId
from domain.money import Currency, Money
from domain.value import MAX_QUANTITY, Address, PaymentMethod, Value

Quantity = Annotated[int, Field(ge=1, le=MAX_QUANTITY)]


class CancelReason(StrEnum):
    """On whose wish an order is cancelled."""

    CUSTOMER = "CUSTOMER"
    STAFF = "STAFF"
    SYSTEM = "SYSTEM"


class RejectReason(StrEnum):
    OUT_OF_STOCK = "OUT_OF_STOCK"
    PAYMENT_DECLINED = "PAYMENT_DECLINED"
    REFUSED_BY_SHOP = "REFUSED_BY_SHOP"


class OrderLine(Value):
    """A variant as it was when it went into the cart, or, in a placed order, as it was bought."""

    number: int = Field(ge=1)
    product_id: ProductId
    variant_id: VariantId
    sku: str
    name: str
    unit_price: Money
    quantity: Quantity


class Portion(Value):
    """So many of the line with this number."""

    line: int = Field(ge=1)
    quantity: Quantity


class OrderEvent(Event):
    """Base of every event of an order."""


class OrderDrafted(OrderEvent):
    """A cart was begun."""

    TOPIC = "orders.order-drafted"

    customer_id: UserId
    currency: Currency


class LineAdded(OrderEvent):
    TOPIC = "orders.line-added"

    line: OrderLine


class LineChanged(OrderEvent):
    """A line of the cart has this quantity now."""

    TOPIC = "orders.line-changed"

    variant_id: VariantId
    quantity: Quantity


class LineRemoved(OrderEvent):
    TOPIC = "orders.line-removed"

    variant_id: VariantId


class OrderPlaced(OrderEvent):
    """The customer ordered these lines at these prices: as a first event, or as the end of a draft.

    total = sum of unit price x quantity, plus shipping, plus tax; all in one currency. Lines are numbered from 1.
    """

    TOPIC = "orders.order-placed"
    OWNER: ClassVar[str] = "customer_id"

    customer_id: UserId
    lines: tuple[OrderLine, ...]
    shipping: Money
    tax: Money
    total: Money
    payment_method: PaymentMethod
    payment_token: PersonalData[str | None]
    address: PersonalData[Address]
    note: PersonalData[str]


class OrderConfirmed(OrderEvent):
    """The pivot: goods and money are certain, the shop owes the goods."""

    TOPIC = "orders.order-confirmed"


class OrderRejected(OrderEvent):
    TOPIC = "orders.order-rejected"
    OWNER: ClassVar[str] = "customer_id"

    customer_id: UserId
    reason: RejectReason
    note: PersonalData[str]


class OrderExpired(OrderEvent):
    """The time to pay ran out."""

    TOPIC = "orders.order-expired"


class CancellationRequested(OrderEvent):
    """Somebody wants the order cancelled; money and goods are to be put back first."""

    TOPIC = "orders.cancellation-requested"
    OWNER: ClassVar[str] = "customer_id"

    customer_id: UserId
    reason: CancelReason
    asked_by: UserId | None  # None: no person
    note: PersonalData[str]


class OrderCancelled(OrderEvent):
    """The order is closed and nothing of it will be shipped."""

    TOPIC = "orders.order-cancelled"
    OWNER: ClassVar[str] = "customer_id"
    class_version = 2

    customer_id: UserId
    reason: CancelReason
    asked_by: UserId | None
    note: PersonalData[str]

    @staticmethod
    def upcast_v1_v2(state: JSON) -> None:
        """v1 had no reason; only customers could cancel then."""
        state["reason"] = CancelReason.CUSTOMER
        state["asked_by"] = state["customer_id"]


class OrderShipped(OrderEvent):
    """A shipment left the house. `complete`: with it, everything ordered has left."""

    TOPIC = "orders.order-shipped"

    shipment_id: ShipmentId
    lines: tuple[Portion, ...]
    carrier: str
    tracking: str | None
    complete: bool


class OrderDelivered(OrderEvent):
    """A shipment arrived. `complete`: with it, everything ordered has arrived."""

    TOPIC = "orders.order-delivered"

    shipment_id: ShipmentId
    complete: bool


class OrderReturned(OrderEvent):
    """Goods came back. `refund` is what is owed for them; `complete`: with them, everything delivered came back."""

    TOPIC = "orders.order-returned"
    OWNER: ClassVar[str] = "customer_id"

    customer_id: UserId
    return_id: ReturnId
    lines: tuple[Portion, ...]
    restock: bool
    refund: Money
    asked_by: UserId | None
    note: PersonalData[str]
    complete: bool


class SagaAssigned(OrderEvent):
    """From here on this saga, and no other, works the order."""

    TOPIC = "orders.saga-assigned"

    saga_id: SagaId
    process: str  # checkout, cancellation, ...


class SagaReleased(OrderEvent):
    """The saga that worked the order is done with it."""

    TOPIC = "orders.saga-released"

    saga_id: SagaId


LaterOrderEvent = (
    LineAdded
    | LineChanged
    | LineRemoved
    | OrderConfirmed
    | OrderRejected
    | OrderExpired
    | CancellationRequested
    | OrderCancelled
    | OrderShipped
    | OrderDelivered
    | OrderReturned
    | SagaAssigned
    | SagaReleased
)
AnyOrderEvent = OrderDrafted | OrderPlaced | LaterOrderEvent
