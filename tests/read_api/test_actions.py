"""What can be done: the answer is that of the decisions themselves, on the state that the events lead to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from commands.router import ROUTES
from domain.actor import Actor, Role
from domain.errors import DomainError
from domain.event import Event
from domain.ids import derive
from domain.orders.order import evolve
from domain.products import product
from domain.products.events import ProductActivated, ProductDiscontinued
from domain.products.product import Details
from domain.products.product import evolve as evolve_product
from domain.users import user as users
from domain.users.events import RoleGranted, UserErased, UserSuspended
from projections.orders.projector import ORDERS
from projections.orders.projector import orders as orders_projector
from projections.products.projector import PRODUCTS
from projections.products.projector import products as products_projector
from projections.users.projector import USERS
from projections.users.projector import users as users_projector
from read_api.actions import orders, payments, products, sagas
from read_api.actions import users as user_actions
from read_api.actions.judging import Way, refusal_of
from tests.domain.orders.samples import CUSTOMER, ORDER, WAYS_TO, confirmed, placed, tea_shipped
from tests.domain.products.histories import LARGE, SHIRT, SMALL, variant
from tests.domain.users.samples import HANA, activated, registered
from tests.projections.fakes import folded, recorded
from tests.projections.stories import order_id, told
from tests.read_api.conftest import ACTORS, Api
from tests.read_api.test_payments import STORY, a_payment, id_of
from tests.read_api.town import a_saga, an_id, order_of
from tests.specification import AT, a

EVERYBODY = [Actor(CUSTOMER, frozenset({Role.CUSTOMER})), Actor(derive("test", "op"), frozenset({Role.OPERATOR}))]
ACTIONS = "availableActions { name path available code reason }"


def anybody(actor: Actor, path: str) -> None:
    """Roles are looked at elsewhere."""


def answers(ways: Any, state: Any, actor: Actor, at: datetime) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for way in ways:
        refusal = refusal_of(way, state, actor, anybody, at)
        found[way.name] = refusal.code if isinstance(refusal, DomainError) else refusal
    return found


def row_of(model: Any, projector: Any, events: list[Event]) -> Any:
    log = [recorded(event, position) for position, event in enumerate(events, 1)]
    return folded(model, log)[projector][events[0].originator_id]


@pytest.mark.parametrize("actor", EVERYBODY, ids=["customer", "operator"])
@pytest.mark.parametrize("status", WAYS_TO, ids=str)
def test_a_row_and_the_log_lead_to_the_same_answers_about_an_order(status: Any, actor: Actor) -> None:
    for length in range(1, len(WAYS_TO[status]) + 1):
        events: list[Any] = told(WAYS_TO[status][:length], ORDER)
        state = None
        for event in events:
            state = evolve(state, event)
        row = row_of(ORDERS, orders_projector, events)
        for at in (AT, datetime(2027, 1, 1, tzinfo=UTC)):
            assert answers(orders.WAYS, orders.order_of(row), actor, at) == answers(orders.WAYS, state, actor, at)


def shirts(*sizes: Any) -> list[Any]:
    details = Details("Shirt", "Soft.", None, {})
    return product.draft(SHIRT, details, (), ("size",), sizes, at=AT)


@pytest.mark.parametrize("more", [(), (ProductActivated,), (ProductActivated, ProductDiscontinued)])
@pytest.mark.parametrize("sizes", [(variant(SMALL, "S"),), (variant(SMALL, "S"), variant(LARGE, "L"))])
def test_a_row_and_the_log_lead_to_the_same_answers_about_a_product(more: Any, sizes: Any) -> None:
    events = shirts(*sizes)
    events += [a(kind)(SHIRT, version) for version, kind in enumerate(more, len(events) + 1)]
    state = None
    for event in events:
        state = evolve_product(state, event)
    row = row_of(PRODUCTS, products_projector, events)
    found = answers(products.WAYS, products.product_of(row), EVERYBODY[1], AT)
    assert found == answers(products.WAYS, state, EVERYBODY[1], AT)
    assert (found["remove-variant"] == "LAST_VARIANT") == (len(sizes) == 1 and ProductDiscontinued not in more)


GRANTED = a(RoleGranted, role=Role.ADMIN, by="user:x")


@pytest.mark.parametrize("actor", [*EVERYBODY, Actor(HANA, frozenset({Role.CUSTOMER}))])
@pytest.mark.parametrize(
    "more", [(), (activated,), (activated, GRANTED), (activated, a(UserSuspended, reason="x", by="user:x"))]
)
def test_a_row_and_the_log_lead_to_the_same_answers_about_a_user(more: Any, actor: Actor) -> None:
    events: list[Any] = told((registered, *more), HANA)
    state = None
    for event in events:
        state = users.evolve(state, event)
    row = row_of(USERS, users_projector, events)
    found = answers(user_actions.WAYS, user_actions.user_of(row), actor, AT)
    assert found == answers(user_actions.WAYS, state, actor, AT)


def test_every_action_is_a_route_of_the_command_api() -> None:
    routes = {route.path for route in ROUTES}
    ways: list[Way[Any]] = [*orders.WAYS, *payments.WAYS, *products.WAYS, *sagas.WAYS, *user_actions.WAYS]
    assert {way.path for way in ways} <= routes


async def asked(api: Api, kind: str, id: Any, who: str) -> dict[str, Any]:
    document = f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {ACTIONS} }} }} }}"
    found = (await api.ask(document, who, id=str(id)))["node"]["availableActions"]
    return {action["name"]: action for action in found}


async def test_a_customer_sees_what_can_be_done_and_why_the_rest_cannot(api: Api) -> None:
    await api.has_seen("orders", told((placed, confirmed), order_id(1)))
    found = await asked(api, "Order", order_id(1), "customer")
    path = f"/v1/orders/{order_id(1)}/cancel"
    assert found["cancel"] == {"name": "cancel", "path": path, "available": True, "code": None, "reason": None}
    assert (found["return"]["available"], found["return"]["code"]) == (False, "NOT_ALLOWED_NOW")
    assert found.keys() == {"add-line", "change-line", "remove-line", "place", "cancel", "return"}


async def test_what_was_shipped_cannot_be_cancelled(api: Api) -> None:
    await api.has_seen("orders", told((placed, confirmed, tea_shipped), order_id(1)))
    cancel = (await asked(api, "Order", order_id(1), "customer"))["cancel"]
    assert (cancel["available"], cancel["code"]) == (False, "ALREADY_SHIPPED")
    assert cancel["reason"]


async def test_staff_sees_what_their_role_does_not_let_them_do(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACTORS, "operator", Actor(derive("test", "operator"), frozenset({Role.OPERATOR})))
    await api.has_seen("orders", told((placed,), order_id(1)))
    confirm = (await asked(api, "Order", order_id(1), "staff"))["confirm"]
    assert (confirm["available"], confirm["code"]) == (False, "FORBIDDEN")
    assert (await asked(api, "Order", order_id(1), "operator"))["confirm"]["available"]


async def test_payments_and_sagas_say_what_can_be_done(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACTORS, "operator", Actor(derive("test", "operator"), frozenset({Role.OPERATOR})))
    await api.has_seen("payments", a_payment(1, *STORY))
    await api.has_seen("sagas", a_saga(1))
    found = await asked(api, "Payment", id_of(1), "operator")
    assert {name: (each["available"], each["code"]) for name, each in found.items()} == {
        "pay": (False, "ATTEMPT_ACTIVE"),
        "capture": (False, "NOTHING_TO_CAPTURE"),
        "void": (False, "NOTHING_TO_VOID"),
        "refund": (True, None),
        "give-back": (True, None),
    }
    saga = (await api.ask("{ sagas(first: 1) { nodes { id } } }", "staff"))["sagas"]["nodes"][0]["id"]
    possible = await asked(api, "Saga", saga, "operator")
    assert {name for name, each in possible.items() if each["available"]} == {"pause", "cancel"}
    assert possible["resume"]["reason"].endswith("it is not paused")


async def test_who_was_erased_can_be_asked_about(api: Api) -> None:
    id = an_id("customer", 1)
    await api.has_seen("users", told((registered, activated, a(UserErased, by="user:x")), id))
    found = await asked(api, "User", id, "staff")
    assert not any(each["available"] for each in found.values())
    assert order_of(1)
