"""So many of everything, each with all that can hang on it: customers, orders, payments, sagas, mails, products."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from domain.event import Event
from domain.ids import CategoryId, OrderId, ProductId, UserId, VariantId, derive, payment_of
from domain.orders.events import OrderPlaced
from domain.products import categories, product, stock
from domain.products.events import CategoryCreated, ProductActivated
from domain.products.product import Details
from domain.sagas.events import InputKind, SagaEvent
from domain.sagas.saga import Input
from domain.users.events import PasswordSet, UserActivated, UserRegistered
from domain.users.values import Settings
from sagas.engine import Engine
from sagas.process import told as stored
from sagas.processes import PROCESSES, hearings
from tests.domain.notifications.samples import requested, sent
from tests.domain.orders.samples import confirmed, item, placed
from tests.domain.payments.samples import CAPTURED
from tests.domain.products.histories import variant
from tests.domain.users.samples import CLAIM
from tests.projections.stories import told
from tests.read_api.conftest import Api, owned_by
from tests.specification import AT, a

TOP = CategoryId(derive("test town", "top"))


def an_id(kind: str, number: int) -> UUID:
    return derive(f"test town {kind}", str(number))


def order_of(number: int) -> OrderId:
    return OrderId(an_id("order", number))


async def settle(api: Api, size: int) -> None:
    """`size` of everything, the later the higher the number."""
    numbers = range(1, size + 1)
    await api.has_seen("users", each(a_user, numbers))
    await api.has_seen("products", [*tree(size), *each(a_product, numbers)])
    await api.has_seen("orders", each(an_order, numbers))
    await api.has_seen("payments", each(a_payment, numbers))
    await api.has_seen("notifications", each(a_mail, numbers))
    await api.has_seen("sagas", each(a_saga, numbers))


def each(story: object, numbers: Iterable[int]) -> list[Event]:
    assert callable(story)
    return [event.model_copy(update={"timestamp": AT + timedelta(minutes=n)}) for n in numbers for event in story(n)]


def a_user(number: int) -> list[Event]:
    id = an_id("customer", number)
    first = a(
        UserRegistered,
        email=f"u{number}@example.org",
        display_name=f"User {number}",
        email_claim=CLAIM,
        settings=Settings(),
    )
    password = a(PasswordSet, user_id=UserId(id), password_hash="hash")(an_id("credentials", number), 1)
    return [first(id, 1), a(UserActivated)(id, 2), password]


def tree(size: int) -> list[Event]:
    top = a(CategoryCreated, category_id=TOP, name="All", parent_id=None)(categories.TREE, 1)
    return [
        top,
        *(
            a(CategoryCreated, category_id=an_id("category", n), name=f"C{n}", parent_id=TOP)(categories.TREE, n + 1)
            for n in range(1, size + 1)
        ),
        *(
            a(CategoryCreated, category_id=an_id("below", n), name=f"B{n}", parent_id=an_id("category", n))(
                categories.TREE, size + n + 1
            )
            for n in range(1, size + 1)
        ),
    ]


def a_product(number: int) -> list[Event]:
    id, tea = ProductId(an_id("product", number)), VariantId(an_id("variant", number))
    details = Details(f"Tea {number}", "Green.", CategoryId(an_id("category", number)), {"leaf": "whole"})
    drafted = product.draft(id, details, (), (), [variant(tea)], at=AT)
    opened = stock.open_stock(tea, id, at=AT)
    received = stock.receive(stock.evolve(None, opened), 5, at=AT)
    return [*drafted, opened, *received, a(ProductActivated)(id, len(drafted) + 1)]


def an_order(number: int) -> list[Event]:
    """Of the product of the same number."""
    bought = item(VariantId(an_id("variant", number))).model_copy(update={"product_id": an_id("product", number)})
    first, *rest = [owned_by(an_id("customer", number), e) for e in told((placed, confirmed), order_of(number))]
    return [first.model_copy(update={"lines": (bought.numbered(1),)}), *rest]


def a_payment(number: int) -> list[Event]:
    order = order_of(number)
    events = [owned_by(an_id("customer", number), event) for event in told(CAPTURED, payment_of(order))]
    return [events[0].model_copy(update={"order_id": order}), *events[1:]]


def a_mail(number: int) -> list[Event]:
    first, rest = told((requested, sent), an_id("mail", number))
    told_to = {"user_id": an_id("customer", number), "facts": {"order_id": str(order_of(number))}}
    return [first.model_copy(update=told_to), rest]


def a_saga(number: int) -> list[SagaEvent]:
    """The checkout of the order of the same number, which has asked for the goods."""
    opening = an_order(number)[0]
    assert isinstance(opening, OrderPlaced)
    (heard,) = (h for h in hearings(PROCESSES, OrderPlaced) if h.process == "checkout")
    fact = heard.fact(opening)
    assert fact is not None
    input = Input(an_id("fact", number), InputKind.FACT, fact.NAME, stored(fact))
    return Engine(PROCESSES).react(None, heard.saga(opening), "checkout", heard.key(opening), input, AT)
