"""Documents that are meant to hurt: each is refused with its reason, and the database is not asked for anything."""

from __future__ import annotations

from typing import Any, Final

import pytest

from read_api.app import GraphQLApp
from read_api.schema import make_schema
from tests.domain.orders.samples import placed
from tests.projections.stories import order_id, told
from tests.read_api.conftest import ALLOWANCE, Api

BY_IDS: Final = "query ($ids: [ID!]) { orders(first: 1, where: {customerId: {in: $ids}}) { nodes { id } } }"
SIZED: Final = "query ($n: Int!) { orders(first: $n) { nodes { %s } } }"
ONE: Final = "query ($id: ID!) { order(id: $id) { id } }"
NOBODY: Final = "00000000-0000-7000-8000-00000000000a"
SAGAS: Final = """
    query ($id: ID!) { order(id: $id) { ...A } }
    fragment A on Order { sagas { order { ...B } } } fragment B on Order { sagas { id } }
"""
TYPE: Final = 'a#: __type(name: "Order") { fields { args { type { fields { name } } } } }'
MONEY: Final = "payment { due { amount } paid { amount } captured { amount } refunded { amount } }"


def many(what: str, count: int) -> str:
    return " ".join(what.replace("#", str(n)) for n in range(count))


HOSTILE: Final[dict[str, tuple[str, dict[str, Any], str, str]]] = {
    "deep": ("{ a " * 11 + "}" * 11, {}, "DOCUMENT_TOO_COMPLEX", "11 fields deep; at most 10 are allowed"),
    "braces": ("{ a " * 5000, {}, "DOCUMENT_TOO_COMPLEX", "more levels than can be read"),
    "aliases": (
        f"{{ {many('a#: __typename', 16)} }}",
        {},
        "DOCUMENT_TOO_COMPLEX",
        "16 aliases; at most 15 are allowed",
    ),
    "very many aliases": (f"{{ {many('a#:__typename', 500)} }}", {}, "DOCUMENT_TOO_COMPLEX", "more than 1000 tokens"),
    "again and again": (f"{{ {many('__typename', 60)} }}", {}, "DOCUMENT_TOO_COMPLEX", "59 fields that are selected"),
    "directives": (
        f"{{ __typename {many('@include(if: true)', 31)} }}",
        {},
        "DOCUMENT_TOO_COMPLEX",
        "31 directives; at most 30 are allowed",
    ),
    "circle": (
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        {},
        "INVALID_DOCUMENT",
        "Cannot spread fragment 'A' within itself via 'B'",
    ),
    "costly": (
        SIZED % many(f"p#: {MONEY}", 15),
        {"n": 100},
        "QUERY_TOO_COSTLY",
        "the query costs 7611; at most 5000 are allowed: ask for smaller pages",
    ),
    "variants of variants": (
        "query ($id: ID!) { product(id: $id) { variants { product { variants { product { variants { id } } } } } } }",
        {"id": NOBODY},
        "DOCUMENT_TOO_COMPLEX",
        "the list Product.variants within itself by way of something else",
    ),
    "children of parents": (
        "query ($id: ID!) { category(id: $id) { children { parent { children { id } } } } }",
        {"id": NOBODY},
        "DOCUMENT_TOO_COMPLEX",
        "the list Category.children within itself",
    ),
    "sagas of sagas": (
        SAGAS,
        {"id": NOBODY},
        "DOCUMENT_TOO_COMPLEX",
        "the list Order.sagas within itself",
    ),
    "the whole tree, each with its children": (
        "{ categories { children { id } } }",
        {},
        "QUERY_TOO_COSTLY",
        "the query costs 22000",
    ),
    "the schema again and again": (
        f"{{ {many('a#: __schema { types { fields { name } } }', 15)} }}",
        {},
        "DOCUMENT_TOO_COMPLEX",
        "__schema 15 times; once is allowed",
    ),
    "type after type": (
        f"{{ {many(TYPE, 11)} }}",
        {},
        "QUERY_TOO_COSTLY",
        "the query costs 5500",
    ),
    "many values": (BY_IDS, {"ids": ["1"] * 1500}, "VARIABLES_TOO_LARGE", "more than 1000 values"),
    "long values": (BY_IDS, {"ids": ["x" * 5000] * 5}, "VARIABLES_TOO_LARGE", "more than 20000 characters"),
    "values within values": (ONE, {"id": "1", "no": [[[1] * 999]]}, "VARIABLES_TOO_LARGE", "more than 1000 values"),
    "two operations": ("query A { a: __typename } query B { b: __typename }", {}, "INVALID_DOCUMENT", "operationName"),
    "no operation": ("fragment A on Query { __typename }", {}, "INVALID_DOCUMENT", "Fragment 'A' is never used"),
}


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
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == code
    assert reason in error["message"]
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
