"""Documents that are meant to hurt: each is refused with its reason, and the database is not asked for anything."""

from __future__ import annotations

from typing import Any, Final

import pytest

from bench.hostile_documents import HOSTILE, ONE, SIZED
from read_api.app import GraphQLApp
from read_api.schema import make_schema
from tests.domain.orders.samples import placed
from tests.projections.stories import order_id, told
from tests.read_api.conftest import ALLOWANCE, Api


class Watched:
    """How often the database was asked for a connection."""

    def __init__(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        self.connections = 0
        self._connection = api.pool.connection
        monkeypatch.setattr(api.pool, "connection", self._counted)

    def _counted(self, *args: Any, **kwargs: Any) -> Any:
        self.connections += 1
        return self._connection(*args, **kwargs)


@pytest.fixture
def watched(api: Api, monkeypatch: pytest.MonkeyPatch) -> Watched:
    api.app._allowance = type(ALLOWANCE)()
    return Watched(api, monkeypatch)


@pytest.mark.parametrize("name", HOSTILE)
async def test_it_is_refused_and_nothing_is_asked(api: Api, watched: Watched, name: str) -> None:
    document, variables, code, reason = HOSTILE[name]
    answer = await api.post(document, "staff", **variables)
    errors = answer.json()["errors"]
    assert {error["extensions"]["code"] for error in errors} == {code}
    assert reason in errors[0]["message"]
    assert len(errors) <= 4, "three, and that there are more"
    assert answer.status_code == 200
    assert watched.connections == 0
    strict = await api.post(document, "staff", {"accept": "application/graphql-response+json"}, **variables)
    assert strict.status_code == 400
    assert "data" not in strict.json()


async def test_a_megabyte_is_not_read(api: Api, watched: Watched) -> None:
    answer = await api.post("{ __typename }" + " " * 1_000_000)
    assert (answer.status_code, watched.connections) == (413, 0)
    assert answer.json()["errors"][0]["message"] == "at most 100000 bytes are taken"


async def test_what_is_allowed_does_ask(api: Api, watched: Watched) -> None:
    """So that the test above can tell the difference."""
    await api.has_seen("orders", told((placed,), order_id(1)))
    before = watched.connections
    await api.ask(ONE, id=str(order_id(1)))
    assert watched.connections == before + 1


class TestIntrospection:
    @pytest.fixture
    def closed(self, api: Api) -> Api:
        schema = make_schema(introspection=False)
        app = GraphQLApp(schema, api.pool, api.app._watch, api.app._authenticate, api.app._cursors)
        api.app.__dict__.update(app.__dict__)
        return api

    @pytest.mark.parametrize(
        "document",
        [
            "{ __schema { types { name } } }",
            '{ __type(name: "Order") { name } }',
            "{ ...A } fragment A on Query { __schema { description } }",
        ],
    )
    async def test_it_can_be_off(self, closed: Api, document: str) -> None:
        error = await closed.refused(document, None)
        assert error["extensions"]["code"] == "INTROSPECTION_OFF"
        assert "schema.graphql" in error["message"]

    async def test_the_name_of_a_type_is_no_introspection(self, closed: Api) -> None:
        assert await closed.ask("{ __typename }", None) == {"__typename": "Query"}


SEARCH: Final = """
    { searchProducts(text: "x", first: 50) { nodes { id } ...F ... { totalCount edges { cursor node { id } } } } }
    fragment F on ProductSearchConnection { facets { prices { count } } nodes { minPrice { amount } } }
"""
COSTS: Final[list[tuple[str, dict[str, Any], int]]] = [
    ("{ __typename }", {}, 0),
    ("{ orders(first: 50) { totalCount pageInfo { endCursor } } }", {}, 5),
    ("{ orders(first: 50) { nodes { id } } }", {}, 50),
    ("{ orders(first: 50) { edges { cursor node { id } } pageInfo { endCursor } } }", {}, 50),
    (SIZED % "id customer { id } total { amount }", {"n": 20}, 60),
    (SIZED % "id", {"n": 1_000_000}, 100),
    (
        "query ($n: Int = 7) { orders(last: $n) { nodes { ...O } } } fragment O on Order { tax { amount } }",
        {},
        14,
    ),
    ("{ node(id: 1) { ... on Order { id lines { sku unitPrice { amount } } } } }", {}, 7),
    (SIZED % "lines { product { id } } sagas { id }", {"n": 10}, 80),
    ('{ searchProducts(text: "x", first: 100) { facets { attributes { values { count } } } } }', {}, 53),
    (SEARCH, {}, 50 + 52 + 5 + 50 + 100),
    ("{ users(first: 10) { nodes { orders(first: 10) { totalCount nodes { id } } } } }", {}, 10 + 10 * 15),
    ('{ nodes(ids: ["1", "2", "3"]) { id } }', {}, 3),
    ('{ order(id: "1", asOf: {version: 1}) { id } }', {}, 51),
    ('{ history(id: "1") { version } }', {}, 100),
    ('query ($n: Int) { history(id: "1", first: $n) { version } }', {"n": 7}, 7),
    ('{ difference(id: "1", before: {version: 1}, after: {version: 2}) { path } }', {}, 101),
    (
        'query ($d: Date!) { salesByDay(first: $d, last: "2026-01-02") { day captured { amount } } }',
        {"d": "2026-01-01"},
        200,
    ),
    ("{ categories { id } }", {}, 500),
    ("{ a: me { id } ... { b: me { id } } }", {}, 2),
]


class TestCost:
    @pytest.mark.parametrize("document, variables, cost", COSTS)
    async def test_an_object_counts_one_and_a_page_as_many_as_it_has(
        self, api: Api, document: str, variables: dict[str, Any], cost: int
    ) -> None:
        body = (await api.post(document, "staff", **variables)).json()
        assert body["extensions"]["cost"] == {"requested": cost, "maximum": 5000}
