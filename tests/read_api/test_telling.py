"""What customers are told of what happened: of events and fields that somebody has opened, and nothing besides."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from graphql import get_named_type, is_leaf_type

import domain
from domain.actor import Role
from domain.event import EVENT_TYPES, Event
from domain.ids import payment_of
from domain.orders.events import LineRemoved, OrderCancelled, OrderRejected, RejectReason
from domain.payments.events import OutcomeUnmatched, RefundRequested
from domain.products.events import PriceChanged, ProductActivated, ProductDiscontinued
from domain.users.events import AddressAdded, RoleGranted, RoleRevoked, UserReinstated, UserSuspended
from read_api.telling import FOR_CUSTOMERS
from tests.domain.orders import samples as o
from tests.domain.payments import samples as p
from tests.domain.products.histories import SHIRT, SMALL, eur
from tests.domain.users.samples import HOME as HOME_ID
from tests.projections.stories import told
from tests.read_api.conftest import SCHEMA, Api
from tests.read_api.test_history import unreadable
from tests.read_api.test_products import shirts
from tests.read_api.town import a_user
from tests.specification import AT, Make, a

CLOSED_CONTEXTS: Final = {"notifications", "operations", "sagas"}
CLOSED: Final = """
orders.saga-assigned orders.saga-released
payments.outcome-unmatched payments.void-requested payments.webhook-received
products.category-created products.category-moved products.category-removed products.category-renamed
products.product-drafted products.reservation-committed products.reservation-held products.reservation-released
products.reservation-returned products.return-restocked products.sku-freed products.sku-taken products.stock-adjusted
products.stock-came-back products.stock-closed products.stock-committed products.stock-counted products.stock-opened
products.stock-ran-low products.stock-ran-out products.stock-received products.stock-released products.stock-reserved
products.stock-returned products.threshold-set
users.all-sessions-ended users.credentials-closed users.email-claimed users.email-released users.erasure-completed
users.locked-out users.password-changed users.password-reset users.password-reset-asked users.password-set
users.session-ended users.session-refreshed users.sign-in-failed users.signed-in
"""
"""Customers are not told that these happened."""

WITHHELD: Final = {
    "orders.order-drafted": "customer_id",
    "orders.order-placed": "customer_id payment_token",
    "orders.order-rejected": "customer_id",
    "orders.cancellation-requested": "customer_id asked_by",
    "orders.order-cancelled": "customer_id asked_by",
    "orders.order-returned": "customer_id restock asked_by",
    "payments.payment-opened": "order_id customer_id",
    "payments.attempt-created": "customer_id attempt_id gateway_key token",
    "payments.capture-requested": "attempt_id capture_id gateway_key",
    "payments.refund-requested": "attempt_id refund_id gateway_key reason asked_by note",
    "payments.action-required": "attempt_id reference happened_at url",
    "payments.attempt-pending": "attempt_id reference happened_at",
    "payments.payment-authorised": "attempt_id reference happened_at expires_at",
    "payments.payment-declined": "attempt_id reference happened_at code",
    "payments.attempt-voided": "attempt_id reference happened_at",
    "payments.authorisation-expired": "attempt_id reference happened_at",
    "payments.payment-captured": "attempt_id reference happened_at capture_id",
    "payments.capture-failed": "attempt_id reference happened_at capture_id code",
    "payments.payment-refunded": "attempt_id reference happened_at refund_id",
    "payments.refund-failed": "attempt_id reference happened_at refund_id code",
    "payments.payment-charged-back": "attempt_id reference happened_at",
    "users.user-registered": "email display_name email_claim settings",
    "users.profile-changed": "profile",
    "users.address-added": "address_id",
    "users.address-changed": "address_id",
    "users.address-removed": "address_id",
    "users.default-address-chosen": "address_id",
    "users.settings-changed": "settings",
    "users.role-granted": "by reason",
    "users.role-revoked": "by reason",
    "users.user-suspended": "reason by",
    "users.user-reinstated": "reason by",
    "users.user-erased": "by",
    "products.product-edited": "name description category_id attributes",
    "products.images-arranged": "images",
    "products.variant-added": "sku claim_id values price",
    "products.price-changed": "old new",
}
"""Customers are told that these happened, and this of it is not said."""


def event_classes() -> Iterator[type[Event]]:
    """Every one there is."""
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        importlib.import_module(module.name)
    return (cls for cls in EVENT_TYPES.values() if cls.__module__.startswith("domain."))


EVENTS: Final = sorted(event_classes(), key=lambda cls: cls.TOPIC)


@pytest.mark.parametrize("event", EVENTS, ids=lambda cls: cls.TOPIC)
def test_somebody_has_decided_of_every_event_and_field_whether_it_is_for_customers(event: type[Event]) -> None:
    closed = event.TOPIC in CLOSED.split() or event.TOPIC.split(".")[0] in CLOSED_CONTEXTS
    assert (event in FOR_CUSTOMERS) is not closed, f"{event.TOPIC} is new: open it in read_api/telling.py or not"
    fields = event.model_fields.keys() - Event.model_fields.keys()
    withheld = set(WITHHELD.get(event.TOPIC, "").split())
    assert closed or FOR_CUSTOMERS[event] | withheld == fields, f"{event.TOPIC} has new fields: open them or not"
    assert not FOR_CUSTOMERS.get(event, frozenset()) & withheld


STORY = "query ($id: ID!, $n: Int!, $after: Int!) { history(id: $id, first: $n, afterVersion: $after) { %s } }"


async def history(api: Api, id: UUID, who: str = "customer", first: int = 100, after: int = 0) -> Any:
    asked = STORY % "version type facts"
    return (await api.ask(asked, who, id=str(id), n=first, after=after))["history"]


def watched(reason: str) -> tuple[Make, ...]:
    return (
        a(UserSuspended, reason=reason, by="user:1"),
        a(UserReinstated, reason=f"not {reason}", by="user:1"),
    )


async def test_why_somebody_was_suspended_is_for_staff(api: Api) -> None:
    await api.has_seen("users", a_customer(*watched("SUSPECTED FRAUD, watch")))
    found = await history(api, o.CUSTOMER)
    assert [(each["type"], each["facts"]) for each in found[2:]] == [
        ("users.user-suspended", {}),
        ("users.user-reinstated", {}),
    ]
    assert "FRAUD" not in str(found)
    assert (await history(api, o.CUSTOMER, "staff"))[2]["facts"]["reason"] == "(personal)"


async def test_who_asked_for_a_refund_and_in_which_words_is_for_staff(api: Api) -> None:
    rude = a(RefundRequested, **{**fields_of(p.refund_requested), "asked_by": o.STAFF, "note": "to be rid of them"})
    await api.has_seen("payments", told((*p.CAPTURED, rude), payment_of(p.ORDER)))
    last = (await history(api, payment_of(p.ORDER)))[-1]
    assert (last["type"], last["facts"]) == (
        "payments.refund-requested",
        {"amount": {"amount": 1000, "currency": "EUR"}},
    )


def fields_of(make: Make) -> dict[str, Any]:
    event = make(o.ORDER, 1)
    return {name: getattr(event, name) for name in type(event).model_fields.keys() - Event.model_fields.keys()}


UNMATCHED = p.told(OutcomeUnmatched, 9, said="payments.payment-captured", amount=p.eur(77))


async def test_customers_are_not_told_of_the_shops_own_work(api: Api) -> None:
    payment = payment_of(p.ORDER)
    await api.has_seen("payments", told((*p.CAPTURED, UNMATCHED, p.refund_requested), payment))
    await api.has_seen("orders", told((o.placed, o.confirmed, o.released, o.cup_shipped), o.ORDER))
    assert [each["version"] for each in await history(api, payment)] == [1, 2, 3, 4, 5, 7]
    assert [each["version"] for each in await history(api, payment, "staff")] == [1, 2, 3, 4, 5, 6, 7]
    assert [each["version"] for each in await history(api, o.ORDER)] == [1, 2, 4]


async def test_pages_are_full_whatever_is_left_out_of_them(api: Api) -> None:
    payment = payment_of(p.ORDER)
    await api.has_seen("payments", told((*p.CAPTURED, *[UNMATCHED] * 250, p.refund_requested), payment))
    assert [each["version"] for each in await history(api, payment, first=2, after=4)] == [5, 256]
    assert [each["version"] for each in await history(api, payment, first=1, after=5)] == [256]
    assert await history(api, payment, first=1, after=256) == []


PRICES = ({"old": eur(1000), "new": eur(800)}, {"old": eur(800), "new": eur(900)})
SOLD: Final = (
    a(PriceChanged, AT + timedelta(days=1), variant_id=SMALL, **PRICES[0]),
    a(ProductActivated, AT + timedelta(days=2)),
    a(PriceChanged, AT + timedelta(days=3), variant_id=SMALL, **PRICES[1]),
    a(ProductDiscontinued, AT + timedelta(days=4)),
    a(ProductActivated, AT + timedelta(days=5)),
)
"""Versions 4 to 8 of the shirt."""


async def test_what_happened_to_a_product_before_it_was_sold_is_for_staff(api: Api) -> None:
    await api.has_seen("products", shirts(*SOLD))
    assert [each["version"] for each in await history(api, SHIRT)] == [5, 6, 7, 8]
    assert [each["version"] for each in await history(api, SHIRT, first=1)] == [5]
    assert [each["version"] for each in await history(api, SHIRT, "staff")] == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_a_draft_that_was_sold_at_once_is_for_staff_too(api: Api) -> None:
    await api.has_seen("products", shirts(a(ProductActivated), a(ProductDiscontinued), a(ProductActivated)))
    assert [each["type"] for each in await history(api, SHIRT)] == ["products.product-activated"] * 2
    assert [each["version"] for each in await history(api, SHIRT, "staff")] == [1, 2, 3, 4, 5, 6]


async def test_what_is_sold_no_more_has_no_history_but_for_staff(api: Api) -> None:
    await api.has_seen("products", shirts(*SOLD[:-1]))
    assert await history(api, SHIRT) is None
    assert len(await history(api, SHIRT, "staff")) == 7


async def test_what_cannot_be_read_is_said_and_not_left_out(api: Api) -> None:
    await api.has_seen("orders", told((o.placed, o.confirmed), o.ORDER))
    api.feeds["orders"].log[1] = unreadable(api.feeds["orders"].log[1])
    refusal = await api.refused(STORY % "type", id=str(o.ORDER), n=9, after=0)
    assert refusal["extensions"]["code"] == "HISTORY_NOT_READABLE"


# -- history never says more than the other fields of the graph

REFUSED = a(OrderRejected, customer_id=o.CUSTOMER, reason=RejectReason.REFUSED_BY_SHOP, note="We are closed.")
CALLED_OFF = a(OrderCancelled, **{**fields_of(o.cancelled), "note": "Changed my mind"})
TO_THE_END = (o.cup_shipped, o.tea_delivered, o.cup_delivered, o.tea_returned)
DRAFT = (o.drafted, o.tea_added, o.cup_added, o.tea_changed, a(LineRemoved, variant_id=o.CUP))
ORDERS: Final = [
    (*DRAFT, o.placed, o.confirmed, o.tea_shipped, *TO_THE_END),
    (o.placed, o.confirmed, o.released, o.cancelling, o.cancel_pending, CALLED_OFF),
    (o.placed, REFUSED),
    (o.placed, o.expired),
]
PAYMENTS: Final = [
    (p.opened, p.created, p.action_required, p.pending, p.declined),
    (p.opened, p.created, p.authorised, p.void_requested, p.voided),
    (p.opened, p.created, p.authorised, p.auth_expired),
    (p.opened, p.created, p.authorised, p.capture_requested, p.capture_failed),
    (*p.CAPTURED, p.part_refund_requested, p.part_refunded, UNMATCHED),
    (*p.CAPTURED, p.refund_requested, p.refund_failed, p.charged_back),
]
USER: Final = (
    a(AddressAdded, address_id=HOME_ID, address=o.HOME),
    a(RoleGranted, role=Role.STAFF, by="user:1"),
    a(RoleRevoked, role=Role.STAFF, by="user:1"),
    *watched("odd"),
)


def a_customer(*more: Make) -> list[Event]:
    events = [e.model_copy(update={"originator_id": o.CUSTOMER}) for e in a_user(1)[:2]]
    return [*events, *(make(o.CUSTOMER, version) for version, make in enumerate(more, 3))]


STORIES: Final[list[tuple[str, str, UUID, Sequence[Event]]]] = [
    *(("orders", "order", o.ORDER, told(story, o.ORDER)) for story in ORDERS),
    *(("payments", "payment", payment_of(p.ORDER), told(story, payment_of(p.ORDER))) for story in PAYMENTS),
    ("users", "user", o.CUSTOMER, a_customer(*USER)),
    ("products", "product", SHIRT, shirts(*SOLD)),
]


def rows(of: Any) -> str:
    """The selection of everything that is in a thing's own row."""
    fields = (
        (name, get_named_type(field.type))
        for name, field in of.fields.items()
        if field.extensions["strawberry-definition"].base_resolver is None
    )
    return " ".join(name if is_leaf_type(type) else f"{name} {{ {rows(type)} }}" for name, type in fields)


def values(of: Any) -> Iterator[str]:
    match of:
        case dict():
            for each in of.values():
                yield from values(each)
        case list():
            for each in of:
                yield from values(each)
        case bool() | None:
            return
        case _:
            yield str(of).casefold()


@pytest.mark.parametrize("context, kind, id, events", STORIES)
async def test_history_says_nothing_that_the_thing_itself_does_not_show(
    api: Api, context: str, kind: str, id: UUID, events: list[Event]
) -> None:
    await api.has_seen(context, events)
    of = SCHEMA._schema.type_map[kind.title()]
    document = f"query ($id: ID!, $v: Int!) {{ {kind}(id: $id, asOf: {{version: $v}}) {{ {rows(of)} }} }}"
    shown = {v: set(values(await api.ask(document, id=str(id), v=v))) for v in range(1, len(events) + 1)}
    happened = await history(api, id)
    assert happened
    for each in happened:
        version = each["version"]
        assert set(values(each["facts"])) <= shown[version] | shown.get(version - 1, set()), each
