"""Users as they are asked for in the graph."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from domain.actor import ANONYMOUS, Actor, Role, service
from domain.event import Event
from domain.ids import derive
from domain.users.credentials import credentials_id
from domain.users.events import (
    AddressAdded,
    DefaultAddressChosen,
    PasswordSet,
    RoleGranted,
    SignedIn,
    UserActivated,
    UserErased,
    UserRegistered,
    UserSuspended,
)
from domain.users.values import Settings
from projections.consumer import Consumer
from projections.models import MODELS
from projections.pool import Pool
from projections.schema import prepare
from projections.sink import ModelSink
from projections.users.projector import USERS
from read_api.context import Context
from read_api.cursor import Cursors
from read_api.scalars import LONG, Long
from read_api.users.query import UsersQuery
from tests.domain.users.samples import ADDRESS, CLAIM, HOME, WORK
from tests.projections.fakes import FakeFeed
from tests.specification import AT, Make, a

SCHEMA = strawberry.Schema(query=UsersQuery, config=StrawberryConfig(scalar_map={Long: LONG}))
STAFF = Actor(derive("test", "staff"), frozenset({Role.STAFF}))


def user_id(name: str) -> UUID:
    return derive("test user", name)


def customer(name: str) -> Actor:
    return Actor(user_id(name), frozenset({Role.CUSTOMER}))


def registered(name: str, day: int) -> list[Make]:
    at = AT + timedelta(days=day)
    email = f"{name.title()}@Example.org"
    first = a(UserRegistered, at=at, email=email, display_name=name.title(), email_claim=CLAIM, settings=Settings())
    return [first, a(UserActivated, at=at)]


HISTORIES = {
    "hana": [
        *registered("hana", 1),
        a(AddressAdded, address_id=HOME, address=ADDRESS),
        a(DefaultAddressChosen, address_id=HOME),
        a(AddressAdded, address_id=WORK, address=ADDRESS),
    ],
    "bo": [*registered("bo", 2), a(RoleGranted, role=Role.STAFF, by="user:x")],
    "eve": [*registered("eve", 3), a(UserSuspended, reason="spam", by="user:x")],
    "gone": [*registered("gone", 4), a(UserErased, by="user:x")],
}


def told() -> list[Event]:
    events = [make(user_id(name), n) for name, history in HISTORIES.items() for n, make in enumerate(history, 1)]
    id = credentials_id(user_id("hana"))
    set = a(PasswordSet, user_id=user_id("hana"), password_hash="h")
    return [*events, set(id, 1), a(SignedIn, session_id=HOME, token_hash="t", expires_at=AT)(id, 2)]


@pytest.fixture
async def pool(module_database: str) -> AsyncIterator[Pool]:
    await prepare(module_database, MODELS)
    async with Pool(module_database, min_size=2, open=False) as pool:
        await pool.wait()
        consumer = Consumer(ModelSink(USERS), FakeFeed("users", told()), pool)
        checkpoint = await consumer.open()
        if checkpoint.floor == 0:
            await consumer.step(checkpoint)
        yield pool


@pytest.fixture
def ask(pool: Pool) -> Any:
    async def ask(document: str, actor: Actor = STAFF, **variables: Any) -> Any:
        context = Context(actor, pool, Cursors("a secret"))
        return await SCHEMA.execute(document, variable_values=variables, context_value=context)

    return ask


async def names(ask: Any, arguments: str) -> list[str | None]:
    answer = await ask(f"{{ users({arguments}) {{ nodes {{ displayName }} }} }}")
    assert answer.errors is None, answer.errors
    return [node["displayName"] for node in answer.data["users"]["nodes"]]


ME = """{ me {
    id version status roles email displayName locale notices suspendedFor
    addressBook { id isDefault address { city } } signIns { count lastAt lockedUntil }
} }"""


async def test_me(ask) -> None:
    answer = await ask(ME, customer("hana"))
    assert answer.errors is None
    assert answer.data["me"] == {
        "id": str(user_id("hana")),
        "version": 5,
        "status": "ACTIVE",
        "roles": ["CUSTOMER"],
        "email": "Hana@Example.org",
        "displayName": "Hana",
        "locale": "en",
        "notices": ["ORDER_UPDATES", "BACK_IN_STOCK"],
        "suspendedFor": None,
        "addressBook": [
            {"id": str(HOME), "isDefault": True, "address": {"city": "Tokyo"}},
            {"id": str(WORK), "isDefault": False, "address": {"city": "Tokyo"}},
        ],
        "signIns": {"count": 1, "lastAt": AT.isoformat(), "lockedUntil": None},
    }


async def test_a_process_is_nobody(ask) -> None:
    assert (await ask("{ me { id } }", service("checkout"))).data == {"me": None}


async def test_who_is_not_signed_in_is_told_so(ask) -> None:
    answer = await ask("{ me { id } }", ANONYMOUS)
    assert answer.errors[0].original_error.code == "UNAUTHENTICATED"


async def test_a_customer_sees_no_other_customer(ask) -> None:
    other = f'{{ user(id: "{user_id("bo")}") {{ id }} }}'
    assert (await ask(other, customer("hana"))).data == {"user": None}
    assert (await ask(other, customer("bo"))).data["user"]["id"] == str(user_id("bo"))
    assert (await ask(other, STAFF)).data["user"]["id"] == str(user_id("bo"))
    assert (await ask('{ user(id: "nonsense") { id } }')).data == {"user": None}


async def test_a_list_is_for_staff(ask) -> None:
    answer = await ask("{ users(first: 1) { nodes { id } } }", customer("hana"))
    assert answer.errors[0].original_error.code == "FORBIDDEN"


@pytest.mark.parametrize(
    "where, found",
    [
        ('email: {eq: " HANA@example.ORG"}', ["Hana"]),
        ('email: {eq: "nobody@example.org"}', []),
        ("role: {eq: STAFF}", ["Bo"]),
        ("status: {eq: SUSPENDED}", ["Eve"]),
        ('words: {all: "han"}', ["Hana"]),
        ('words: {all: "HANA eve"}', []),
        ('words: {all: "hana"}, status: {eq: SUSPENDED}', []),
        ("status: {in: [SUSPENDED, ERASED]}", [None, "Eve"]),
        ("status: {eq: ACTIVE}, role: {eq: CUSTOMER}", ["Bo", "Hana"]),
        ("", [None, "Eve", "Bo", "Hana"]),
    ],
)
async def test_staff_find_users(ask, where: str, found: list[str | None]) -> None:
    assert await names(ask, f"first: 10, where: {{{where}}}") == found


@pytest.mark.parametrize("words", ["null", '"?!"', f'"{"x" * 201}"', '"a\\u0000b"'])
async def test_what_has_no_words_is_refused(ask, words: str) -> None:
    answer = await ask(f"{{ users(first: 1, where: {{words: {{all: {words}}}}}) {{ nodes {{ id }} }} }}")
    error = answer.errors[0].original_error
    assert (error.code, error.facts["path"]) == ("INVALID_FILTER", "words.all")


async def test_what_is_no_address_is_refused(ask) -> None:
    answer = await ask('{ users(first: 1, where: {email: {eq: "hana"}}) { nodes { id } } }')
    assert answer.errors[0].original_error.code == "INVALID_FILTER"


async def test_pages(ask) -> None:
    document = """query ($after: String) { users(first: 3, after: $after, orderBy: CREATED_AT_ASC) {
        totalCount nodes { displayName } pageInfo { hasNextPage endCursor } } }"""
    first = (await ask(document)).data["users"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (4, True)
    rest = (await ask(document, after=first["pageInfo"]["endCursor"])).data["users"]
    assert [n["displayName"] for n in first["nodes"] + rest["nodes"]] == ["Hana", "Bo", "Eve", None]


async def test_why_somebody_is_suspended_is_for_staff(ask) -> None:
    document = f'{{ user(id: "{user_id("eve")}") {{ status suspendedFor }} }}'
    assert (await ask(document)).data["user"] == {"status": "SUSPENDED", "suspendedFor": "spam"}
    assert (await ask(document, customer("eve"))).data["user"]["suspendedFor"] is None


async def test_an_erased_user_shows_nothing_personal(ask) -> None:
    document = f'{{ user(id: "{user_id("gone")}") {{ status email displayName firstName bio addressBook {{ id }} }} }}'
    assert (await ask(document)).data["user"] == {
        "status": "ERASED",
        "email": None,
        "displayName": None,
        "firstName": None,
        "bio": None,
        "addressBook": [],
    }


async def test_sign_ins_are_joined_by_the_query(ask) -> None:
    answer = await ask("{ users(first: 10) { nodes { displayName signIns { count } } } }")
    counts = {node["displayName"]: node["signIns"] for node in answer.data["users"]["nodes"]}
    assert counts == {"Hana": {"count": 1}, "Bo": None, "Eve": None, None: None}
