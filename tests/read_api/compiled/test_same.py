"""The compiled path never answers differently: the same documents, by both ways, for every role, letter for letter."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from pydantic_core import from_json, to_json

from domain.actor import ANONYMOUS, Actor
from domain.event import Event
from domain.ids import OrderId, ProductId, derive, payment_of
from domain.products import product
from domain.products.product import Details
from projections.listing import Page
from read_api.compiled.path import CompiledPath
from read_api.compiled.roots import ROOTS
from read_api.connection import mark
from read_api.context import Context
from read_api.documents import DocumentRefused
from tests import full
from tests.domain.orders.samples import CUSTOMER, WAYS_TO
from tests.domain.payments import samples as money
from tests.domain.products.histories import SHIRT, SMALL, variant
from tests.domain.users.samples import password_set, registered
from tests.projections.stories import order_id, told
from tests.read_api.compiled.documents import Drawn, documents
from tests.read_api.conftest import ACTORS, OTHER, SCHEMA, Api, owned_by
from tests.read_api.test_products import DOLLS, shirts, tree
from tests.specification import AT

WHO: Final[dict[str, Actor]] = {**ACTORS, "nobody": ANONYMOUS}
ASKS: Final = st.sampled_from([*WHO, "staff", "customer", "customer"])
TRICKY: Final = 'a "quoted" \\ back\nline\ttab \x1f \x7f é 日本 😀 \u2028 </script> %s $1 {t}'
ADDRESSES: Final = to_json(
    [
        {"id": id, "address": {"name": "Hana", "line1": "1 Sakura", "line2": line2, "postal_code": "1", "city": "東京",
                               "region": None, "country": "JP"}}
        for id, line2 in ((CUSTOMER, None), (OTHER, TRICKY))
    ]
).decode()  # fmt: skip
IDS: Final = {
    "order": [str(order_id(n)) for n in range(3)],
    "payment": [str(payment_of(OrderId(order_id(n)))) for n in range(3)],
    "product": [str(SHIRT)],
    "user": [str(CUSTOMER), str(OTHER)],
}


def orders() -> list[Event]:
    return [
        owned_by(OTHER if number % 4 == 3 else CUSTOMER, later(event, number))
        for number, story in enumerate(WAYS_TO.values())
        for event in told(story, order_id(number))
    ]


def payments() -> list[Event]:
    found = []
    for number, story in enumerate([*money.WAYS_TO.values()][:9]):
        events = told(story, payment_of(OrderId(order_id(number))))
        events[0] = events[0].model_copy(update={"order_id": OrderId(order_id(number))})
        found += [owned_by(OTHER if number % 4 == 3 else CUSTOMER, later(event, number)) for event in events]
    return found


def later(event: Event, number: int) -> Event:
    """Some at a whole second, some not, and every third at the same moment."""
    by = timedelta(minutes=number // 3, microseconds=120 * (number % 2))
    return event.model_copy(update={"timestamp": event.timestamp + by})


def users() -> list[Event]:
    return [registered(CUSTOMER, 1), registered(OTHER, 1), registered(derive("test", "third"), 1)]


def products() -> list[Event]:
    """Besides the shirts some whose names are sorted in unusual places, and of which two cost the same."""
    found = []
    for number, name in enumerate((TRICKY, "shirt", "Éclair", "_", "日本")):
        details = Details(name, "Soft.", DOLLS, {"material": "cotton"})
        priced = [variant(SMALL, "S", 900 + number // 2)]
        events = product.draft(ProductId(derive("product", name)), details, (), ("size",), priced, at=AT)
        found += [later(event, number) for event in events]
    return found


@pytest.fixture
async def shop(api: Api) -> Api:
    for context, events in (
        ("orders", orders()),
        ("payments", payments()),
        ("products", [*tree(), *shirts(), *products()]),
        ("users", [*users(), password_set(derive("credentials", str(CUSTOMER)), 1)]),
    ):
        await api.has_seen(context, events)
    async with api.pool.connection() as connection:
        for change in (
            "UPDATE reads.orders SET note = %(text)s WHERE status IN ('PLACED', 'SHIPPED')",
            "UPDATE reads.orders SET lines = replace(lines::text, 'Tea', %(escaped)s)::json",
            "UPDATE reads.users SET display_name = %(text)s, bio = '', suspended_for = 'x' WHERE id = %(customer)s",
            "UPDATE reads.users SET addresses = %(addresses)s, default_address_id = %(customer)s, locale = 'ja'",
            "UPDATE reads.products SET description = %(text)s, status = 'ACTIVE'",
        ):
            escaped = to_json(TRICKY).decode()[1:-1]
            await connection.execute(
                change, {"text": TRICKY, "escaped": escaped, "customer": CUSTOMER, "addresses": ADDRESSES}
            )
    return api


async def both(api: Api, document: str, who: str, variables: dict[str, Any]) -> tuple[bytes | None, Any]:
    asked = SCHEMA.documents.ask(document, None, variables)
    compiled = CompiledPath(SCHEMA, api.app._cursors)
    quick = await compiled.data(asked, WHO[who], api.pool)
    context = Context(WHO[who], api.pool, api.app._cursors)
    return quick, await SCHEMA.execute(document, variable_values=variables, context_value=context)


@pytest.fixture
async def places(shop: Api) -> dict[str, list[str]]:
    """The cursors of all rows of each list, by list and ordering."""
    found = {}
    for name, root in ROOTS.items():
        if not (root.by_id or root.oneself):
            orderings = SCHEMA._schema.query_type.fields[name].args["orderBy"].type.of_type.values  # type: ignore[union-attr]
            for order, value in orderings.items():
                of = f"{root.listing.table.name} {order}"
                page = await root.listing.page(shop.pool, [], value.value, Page(100))
                found[of] = [shop.app._cursors.sign(of, mark(row, value.value)) for row in page.rows]
    return found


def placed_in(text: str, places: dict[str, list[str]]) -> str:
    """With real cursors."""

    def cursor(found: re.Match[str]) -> str:
        of, _, number = found[1].rpartition(" ")
        return places[of][int(number) % len(places[of])]

    return re.sub("@([a-z]+ [A-Z_]+ [0-9]+)@", cursor, text)


@settings(
    max_examples=full.size(200, 3_000, suite="compiled"),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@pytest.mark.full("compiled")
@pytest.mark.timeout(1200)
@given(drawn=documents(IDS), who=ASKS)
async def test_generated_documents(shop: Api, places: dict[str, list[str]], drawn: Drawn, who: str) -> None:
    await same(shop, places, drawn, who)


@pytest.fixture
async def elsewhere(shop: Api) -> Api:
    """Whoever reads is in Japan, and writes dates as in Germany."""
    async with shop.pool.connection() as connection:
        name = sql.Identifier(connection.info.dbname)
        for setting in ("timezone = 'Asia/Tokyo'", "datestyle = 'German, DMY'", "intervalstyle = 'sql_standard'"):
            await connection.execute(sql.SQL("ALTER DATABASE {} SET " + setting).format(name))
    await shop.pool.drain()
    return shop


@settings(
    max_examples=full.size(50, 1_000, suite="compiled"),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@pytest.mark.full("compiled")
@pytest.mark.timeout(600)
@given(drawn=documents(IDS), who=ASKS)
async def test_generated_documents_elsewhere(
    elsewhere: Api, places: dict[str, list[str]], drawn: Drawn, who: str
) -> None:
    await same(elsewhere, places, drawn, who)


async def test_times_are_in_utc_wherever_the_database_is(elsewhere: Api) -> None:
    async with elsewhere.pool.connection() as connection:
        found = await (await connection.execute("SELECT '2026-01-02T03:04:05Z'::timestamptz::text")).fetchone()
        assert found == ("02.01.2026 12:04:05 JST",)
    document = "{ orders(first: 5) { edges { cursor node { createdAt updatedAt timeline { at } } } } }"
    quick, slow = await both(elsewhere, document, "staff", {})
    assert quick == to_json(slow.data)
    edges = from_json(quick)["orders"]["edges"]
    times = [at for edge in edges for at in (edge["node"]["createdAt"], edge["node"]["timeline"][0]["at"])]
    assert all(at.endswith("+00:00") for at in times)
    cursors = "query ($c: String) { orders(first: 5, after: $c) { edges { cursor node { createdAt } } } }"
    quick, slow = await both(elsewhere, cursors, "staff", {"c": edges[2]["cursor"]})
    assert quick == to_json(slow.data)
    assert from_json(quick)["orders"]["edges"][0]["cursor"] == edges[3]["cursor"]


async def same(shop: Api, places: dict[str, list[str]], drawn: Drawn, who: str) -> None:
    document = placed_in(drawn.text, places)
    variables = from_json(placed_in(to_json(drawn.variables).decode(), places))
    try:
        quick, slow = await both(shop, document, who, variables)
    except DocumentRefused as refused:
        assert "costs" in refused.errors[0].message or "document has" in refused.errors[0].message  # noqa: PT017
        return
    if slow.errors:
        assert quick is None, slow.errors
        return
    if quick is None:
        searched = "words" in document or "words" in to_json(variables).decode()  # left to the executor
        assert searched or all(value == "Query" for value in slow.data.values()), "it is in the tables, not compiled"
        return
    assert quick.decode() == to_json(slow.data).decode()
    from_json(quick)
