"""Which events customers are told of, and what of each: nothing that other fields of the graph do not show them.

An event that is not here is not told of at all, and a field that is not here is not told, so that what is new is closed
until somebody opens it. What is for staff only elsewhere (why somebody was suspended, what the gateway calls things or
said that fits nothing, who asked for a refund and in which words) must not be opened here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.event import Event
from domain.orders import events as orders
from domain.payments import events as payments
from domain.products import events as products
from domain.users import events as users
from projections.history import plain
from read_api.filters import camel

TOLD: Final[Mapping[type[Event], str]] = {
    orders.OrderDrafted: "currency",
    orders.LineAdded: "line",
    orders.LineChanged: "variant_id quantity",
    orders.LineRemoved: "variant_id",
    orders.OrderPlaced: "lines shipping tax total payment_method address note",
    orders.OrderConfirmed: "",
    orders.OrderRejected: "reason note",
    orders.OrderExpired: "",
    orders.CancellationRequested: "reason note",
    orders.OrderCancelled: "reason note",
    orders.OrderShipped: "shipment_id lines carrier tracking complete",
    orders.OrderDelivered: "shipment_id complete",
    orders.OrderReturned: "return_id lines refund note complete",
    payments.PaymentOpened: "due",
    payments.AttemptCreated: "method amount",
    payments.CaptureRequested: "amount",
    payments.RefundRequested: "amount",
    payments.ActionRequired: "",
    payments.AttemptPending: "",
    payments.PaymentAuthorised: "amount",
    payments.PaymentDeclined: "advice",
    payments.AttemptVoided: "",
    payments.AuthorisationExpired: "",
    payments.PaymentCaptured: "amount",
    payments.CaptureFailed: "",
    payments.PaymentRefunded: "amount",
    payments.RefundFailed: "",
    payments.PaymentChargedBack: "amount",
    users.UserRegistered: "",
    users.UserActivated: "",
    users.ProfileChanged: "",
    users.AddressAdded: "address",
    users.AddressChanged: "address",
    users.AddressRemoved: "",
    users.DefaultAddressChosen: "",
    users.SettingsChanged: "",
    users.RoleGranted: "role",
    users.RoleRevoked: "role",
    users.UserSuspended: "",
    users.UserReinstated: "",
    users.UserErased: "",
    products.ProductEdited: "",
    products.ImagesArranged: "",
    products.VariantAdded: "variant_id",
    products.VariantRemoved: "variant_id",
    products.PriceChanged: "variant_id",
    products.ProductActivated: "",
    products.ProductDiscontinued: "",
}

FOR_CUSTOMERS: Final = {event: frozenset(fields.split()) for event, fields in TOLD.items()}


def facts_for_customers(event: Event) -> dict[str, Any]:
    told = FOR_CUSTOMERS.get(type(event), frozenset())
    return {camel(name): value for name, value in said(event).items() if name in told}


def said(event: Event) -> dict[str, Any]:
    """Without where it stands."""
    facts: dict[str, Any] = plain(event)
    return {name: value for name, value in facts.items() if name not in Event.model_fields}
