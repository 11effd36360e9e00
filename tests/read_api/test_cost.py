"""What documents cost, and that what they really bring has an end as well."""

from __future__ import annotations

import asyncio
import re
from inspect import isawaitable
from pathlib import Path
from typing import Any, Final

import pytest
from graphql import build_schema, execute, get_introspection_query, parse

from bench.graphql import DOCUMENT as ORDERS_PAGE
from domain.ids import VariantId, derive
from domain.products import product
from domain.products.product import Details
from read_api import executor
from read_api.compiled import path
from read_api.cost import MAX_COST, require_sizes
from read_api.graphiql.pages import example_queries
from read_api.sizes import SIZES
from tests.domain.products.histories import SHIRT, variant
from tests.read_api.conftest import Api
from tests.specification import AT

SIZED: Final = "query ($n: Int!) { orders(first: $n) { nodes { %s } } }"
SEARCH: Final = """
    { searchProducts(text: "x", first: 50) { nodes { id } ...F ... { totalCount edges { cursor node { id } } } } }
    fragment F on ProductSearchConnection { facets { prices { count } } nodes { minPrice { amount } } }
"""
COSTS: Final[list[tuple[str, dict[str, Any], int]]] = [
    ("{ __typename }", {}, 0),
    ("{ orders(first: 50) { pageInfo { endCursor } } }", {}, 6),
    ("{ products(first: 100) { edges { cursor } totalCount } }", {}, 11 + 10),
    ("{ orders(first: 50) { nodes { id } } }", {}, 6 + 50),
    ("{ orders(first: 50) { edges { cursor node { id } } pageInfo { endCursor } } }", {}, 6 + 50),
    (SIZED % "id customer { id } total { amount }", {"n": 20}, 3 + 20 * 3),
    (SIZED % "id", {"n": 1_000_000}, 11 + 100),
    (
        "query ($n: Int = 7) { orders(last: $n) { nodes { ...O } } } fragment O on Order { tax { amount } }",
        {},
        1 + 7 * 2,
    ),
    ("{ node(id: 1) { ... on Order { id lines { sku unitPrice { amount } } } } }", {}, 1 + 10 * 2),
    (SIZED % "lines { product { id } } sagas { id }", {"n": 10}, 2 + 10 * (1 + 10 * 2 + 2)),
    (SIZED % "notifications { id }", {"n": 10}, 2 + 10 * (1 + 100)),
    (
        '{ searchProducts(text: "x", first: 100) { facets { attributes { values { count } } } } }',
        {},
        11 + 50 + 1 + 10 * (1 + 20),
    ),
    (SEARCH, {}, 6 + 50 + 50 + 50 + 1 + 10 + 50 * 3),
    ("{ searchProducts(first: 1) { totalCount } }", {}, 1 + 50),
    ("{ users(first: 10) { nodes { orders(first: 10) { totalCount nodes { id } } } } }", {}, 2 + 10 * (1 + 2 + 20)),
    ('{ nodes(ids: ["1", "2", "3"]) { id } }', {}, 3),
    ('{ product(id: "1") { variants { priceAt(at: "2026-01-01T00:00:00Z") { amount } } } }', {}, 1 + 10 * (1 + 5 + 1)),
    ('{ category(id: "1") { children { children { id } } } }', {}, 1 + 10 + 100),
    ('{ order(id: "1", asOf: {version: 1}) { id } }', {}, 250 + 1),
    ('{ history(id: "1") { version } }', {}, 50 + 100),
    ('query ($n: Int) { history(id: "1", first: $n) { version } }', {"n": 7}, 50 + 7),
    ('{ difference(id: "1", before: {version: 1}, after: {version: 2}) { path } }', {}, 500 + 20),
    (
        'query ($d: Date!) { salesByDay(first: $d, last: "2026-01-02") { day captured { amount } } }',
        {"d": "2026-01-01"},
        200,
    ),
    ("{ categories { id } }", {}, 2000),
    ("{ a: me { id } ... { b: me { id } } }", {}, 2),
    ("{ __schema { types { name } } }", {}, 500),
    ('{ a: __type(name: "Order") { name } b: __type(name: "Order") { kind fields { name } } }', {}, 1 + 500),
    ('{ __type(name: "Order") { ...T } } fragment T on __Type { fields { name } }', {}, 500),
]
ORDINARY: Final = {
    "orders-page": ORDERS_PAGE,
    "orders": "{ orders(first: 50) { nodes { lines { sku } customer { id } payment { attempts { status } } } } }",
    "products": "{ products(first: 50) { nodes { variants { sku stock { available } } } } }",
    "the schema": get_introspection_query(),
    **{f"example {number}": text for number, text in enumerate(example_queries(), 1)},
}


@pytest.mark.parametrize("document, variables, cost", COSTS)
async def test_every_object_counts_one_and_a_list_as_often_as_it_is_long(
    api: Api, document: str, variables: dict[str, Any], cost: int
) -> None:
    body = (await api.post(document, "staff", **variables)).json()
    assert body["extensions"]["cost"] == {"requested": cost, "maximum": 5000}


@pytest.mark.parametrize("name", ORDINARY)
async def test_what_front_ends_ask_for_stays_far_below_the_maximum(api: Api, name: str) -> None:
    asked = api.app._documents.ask(ORDINARY[name], None, {"id": "1"})
    assert asked.cost <= MAX_COST / 2


def test_a_list_that_nobody_has_given_a_size_is_refused() -> None:
    schema = build_schema("type Query { a: [B!]! } type B { c: [String!]! }")
    with pytest.raises(TypeError, match=r"Query\.a is a list: say in read_api/sizes\.py how long it is"):
        require_sizes(schema)


def test_the_guide_has_the_sizes_of_all_lists() -> None:
    guide = (Path(__file__).parents[2] / "docs/graphql.md").read_text()
    told: dict[str, int] = {}
    for size, lists in re.findall(r"^\| ([\d,]+) \| (.*) \|$", guide, re.MULTILINE):
        told |= dict.fromkeys(re.findall(r"`([\w.]+)`", lists), int(size.replace(",", "")))
    actions = told.pop("availableActions")
    assert told | {name: actions for name in SIZES if name.endswith(".availableActions")} == SIZES


CHILDREN: Final = 40
VARIANTS: Final = "query ($id: ID!) { product(id: $id) { variants { sku values { name } price { amount } } } }"


@pytest.fixture
async def shop(api: Api) -> Api:
    """With a product of many forms: four values and six more for each."""
    forms = [variant(VariantId(derive("test", f"form {n}")), f"S{n}") for n in range(CHILDREN)]
    await api.has_seen("products", product.draft(SHIRT, Details("Shirt", "", None, {}), (), ("size",), forms, at=AT))
    return api


class TestWhatReallyComes:
    """It may be more than it is taken to be."""

    @pytest.fixture(params=["executed", "compiled"])
    def way(self, request: pytest.FixtureRequest, api: Api, monkeypatch: pytest.MonkeyPatch) -> str:
        if request.param == "executed":
            monkeypatch.setattr(api.app, "_compiled", None)
        return str(request.param)

    @pytest.mark.parametrize("maximum, code", [(2 + 5 * CHILDREN, None), (1 + 5 * CHILDREN, "ANSWER_TOO_LARGE")])
    async def test_it_has_an_end_whichever_way_it_comes(
        self, shop: Api, way: str, monkeypatch: pytest.MonkeyPatch, maximum: int, code: str | None
    ) -> None:
        for module in (executor, path):
            monkeypatch.setattr(module, "MOST_VALUES", maximum)
        body = (await shop.post(VARIANTS, "staff", id=str(SHIRT))).json()
        assert [e["extensions"]["code"] for e in body.get("errors", [])] == ([code] if code else [])
        if code:
            assert body["data"] is None
            assert f"more than {maximum} values: ask for smaller pages" in body["errors"][0]["message"]
            assert "cost" in body["extensions"]


class TestTurns:
    """However much is made at once, others have their turn in between: a time-out, too."""

    SCHEMA = build_schema("type Query { rows: [Row!]! } type Row { cells: [Cell!]! } type Cell { number: Int! }")
    ROWS: Final = {"rows": [{"cells": [{"number": n} for n in range(10)]}] * 40}

    async def turns(self) -> int:
        """That somebody else has while 400 cells are made, of which nothing has to be waited for."""
        turns = 0

        async def beside() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        other = asyncio.create_task(beside())
        made: Any = execute(
            self.SCHEMA,
            parse("{ rows { cells { number } } }"),
            self.ROWS,
            executor_class=executor.Executor,
        )
        result = await made if isawaitable(made) else made
        other.cancel()
        assert (result.data, result.errors) == (self.ROWS, None)
        return turns

    async def test_what_is_little_is_made_in_one_go(self) -> None:
        assert await self.turns() == 0

    async def test_of_much_there_is_a_turn_after_each_piece(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(executor, "PIECE", 40)
        assert await self.turns() >= 400 / 40 - 1


async def test_a_list_in_turns_is_the_same(shop: Api, executed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = await shop.ask(VARIANTS, "staff", id=str(SHIRT))
    monkeypatch.setattr(executor, "PIECE", 5)
    assert await shop.ask(VARIANTS, "staff", id=str(SHIRT)) == at_once
