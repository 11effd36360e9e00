"""Anything by its id, and what is said of an id that is nobody's or another's: the same, at the same price."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.ids import OrderId, derive, payment_of
from domain.products.events import ProductActivated
from tests.domain.orders.samples import CUSTOMER, placed
from tests.domain.payments.samples import CAPTURED
from tests.domain.products.histories import SHIRT, SMALL
from tests.domain.users.samples import registered
from tests.projections.stories import order_id, told
from tests.read_api.compiled.test_path import compiled
from tests.read_api.conftest import OTHER, Api, owned_by
from tests.read_api.test_products import DOLLS, shirts, tree
from tests.read_api.town import a_saga
from tests.specification import a

NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
NOBODYS = "00000000-0000-7000-8000-00000000000a"
MINE, THEIRS = order_id(1), order_id(2)
PAID = payment_of(OrderId(THEIRS))
SAGA = a_saga(1)[0].originator_id


@pytest.fixture
async def shop(api: Api) -> Api:
    theirs = [owned_by(OTHER, event) for event in told((placed,), THEIRS)]
    await api.has_seen("orders", [*told((placed,), MINE), *theirs])
    await api.has_seen("payments", [owned_by(OTHER, event) for event in told(CAPTURED, PAID)])
    await api.has_seen("products", [*tree(), *shirts(a(ProductActivated))])
    await api.has_seen("users", [registered(OTHER, 1), registered(CUSTOMER, 1)])
    await api.has_seen("sagas", a_saga(1))
    return api


@pytest.fixture
def statements(shop: Api, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    seen: list[Any] = []
    execute = psycopg.AsyncCursor.execute

    async def counted(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(query)
        return await execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", counted)
    return seen


@pytest.mark.parametrize("id", [THEIRS, PAID, OTHER, SAGA], ids=["order", "payment", "user", "saga"])
@pytest.mark.parametrize("who", ["customer", None])
async def test_another_customers_id_is_answered_as_one_that_is_nobodys_byte_by_byte(
    shop: Api, statements: list[Any], id: UUID, who: str | None
) -> None:
    theirs = await shop.post(NODE, who, id=str(id))
    nobodys = await shop.post(NODE, who, id=NOBODYS)
    assert theirs.content == nobodys.content.replace(NOBODYS.encode(), str(id).encode())
    assert theirs.json()["data"] == {"node": None}
    (error,) = theirs.json()["errors"]
    assert error["message"] == f"there is no node {id}"
    assert error["extensions"] == {"what": "node", "id": str(id), "code": "NOT_FOUND"}
    assert len(statements) == 2
    assert statements[0] == statements[1]


async def test_the_same_among_many(shop: Api, statements: list[Any]) -> None:
    answers = [(await shop.post(NODES, "customer", ids=[str(MINE), id, str(SHIRT)])) for id in (str(THEIRS), NOBODYS)]
    assert answers[0].content == answers[1].content.replace(NOBODYS.encode(), str(THEIRS).encode())
    body = answers[0].json()
    assert [node and node["__typename"] for node in body["data"]["nodes"]] == ["Order", None, "Product"]
    assert [(e["path"], e["extensions"]["code"]) for e in body["errors"]] == [(["nodes", 1], "NOT_FOUND")]
    assert len(statements) == 2


@pytest.mark.parametrize("id", ["1", "", "no id", "x" * 5000, "00000000-0000-7000-8000-00000000000g"])
async def test_what_is_no_id_is_refused_without_a_statement(shop: Api, statements: list[Any], id: str) -> None:
    refusal = await shop.refused(NODE, id=id)
    assert refusal["extensions"]["code"] == "INVALID_VALUE"
    assert refusal["message"] == f"{id[:50]!r} is no id: ids are UUIDs"
    assert (await shop.post(NODES, "customer", ids=[id])).json()["errors"][0]["path"] == ["nodes", 0]
    assert statements == []


async def test_all_that_one_document_asks_for_is_one_statement(shop: Api, statements: list[Any]) -> None:
    ids = {
        "Order": THEIRS,
        "Payment": PAID,
        "Product": SHIRT,
        "Variant": SMALL,
        "Category": DOLLS,
        "User": OTHER,
        "Saga": SAGA,
    }
    fields = " ".join(f'{kind}: node(id: "{id}") {{ __typename id }}' for kind, id in ids.items())
    listed = ", ".join(f'"{id}"' for id in ids.values())
    data = await shop.ask(f"{{ {fields} nodes(ids: [{listed}]) {{ __typename id }} }}", "staff")
    shown = [{"__typename": kind, "id": str(id)} for kind, id in ids.items()]
    assert data == {**{node["__typename"]: node for node in shown}, "nodes": shown}
    assert len(statements) == 1


async def test_each_kind_is_found_by_an_index(shop: Api, statements: list[Any]) -> None:
    await shop.post(NODE, "customer", id=str(derive("test", "x")))
    async with shop.pool.connection() as connection:
        await connection.execute("SET enable_seqscan = off")
        cursor = await connection.execute(b"EXPLAIN " + statements[0], [[MINE], *values()])
        plan = "\n".join(row[0] for row in await cursor.fetchall())
    assert "Seq Scan" not in plan


def values() -> list[Any]:
    """Of the rest of the statement for a customer: the condition of each kind, and the ids of the next."""
    ids = [MINE]
    return [CUSTOMER, ids, CUSTOMER, ids, "ACTIVE", ids, "ACTIVE", ids, False, ids, CUSTOMER, ids, CUSTOMER, ids]


@pytest.mark.parametrize("who", ["customer", "staff"])
async def test_there_is_one_way_to_nodes(shop: Api, who: str) -> None:
    """It is not compiled, so that it cannot answer differently."""
    assert await compiled(shop, NODE, who, id=str(THEIRS)) is None
    assert await compiled(shop, NODES, who, ids=[str(THEIRS)]) is None
