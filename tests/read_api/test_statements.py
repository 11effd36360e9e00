"""However long a page is, what hangs on its nodes is read by the same number of statements.

The fields are found in the schema, so that none can be forgotten: every field that gives objects, along the shortest
way to it from a list at the root.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLType,
    get_named_type,
    is_leaf_type,
)
from psycopg import AsyncCursor
from psycopg_pool import AsyncConnectionPool

from infra.assembly.reading import permit
from projections.alarm import Alarm
from projections.bell import CHANNEL
from projections.pool import Pool
from projections.waiting import Watch
from read_api.cursor import Cursors
from read_api.live.hub import Live
from read_api.live.serving import LiveGraphQLApp
from tests.read_api.conftest import SCHEMA, Api, authenticate
from tests.read_api.town import settle

SIZE: Final = 20
GRAPH: Final = SCHEMA._schema
ROOTS: Final = ("users", "products", "searchProducts", "orders", "payments", "notifications", "sagas")
"""Pages of things with an id."""
ALONE: Final = {"nodes", "history", "difference", "categories", "salesByDay", "readModels"}
"""Lists that are no pages. What hangs on categories is looked at where products have one."""
NEVER_THERE: Final = {"Saga.usualAge", "ProductSearchConnection.facets"}
"""What the town has none of, or one: of these it is only seen that they cost nothing more."""


@dataclass(frozen=True)
class Way:
    """From the root: `users { nodes { orders(first: 2) { nodes { FIELD } } } }`."""

    fields: tuple[tuple[str, str], ...]  # name, and its arguments
    of: str
    field: str

    def __str__(self) -> str:
        return ".".join([*(name for name, _ in self.fields), self.field])


def is_list(type: GraphQLType) -> bool:
    while isinstance(type, GraphQLNonNull):
        type = type.of_type
    return isinstance(type, GraphQLList)


def objects(of: GraphQLNamedType) -> Iterator[tuple[str, GraphQLField]]:
    assert isinstance(of, GraphQLObjectType | GraphQLInterfaceType)
    return ((name, field) for name, field in of.fields.items() if not is_leaf_type(get_named_type(field.type)))


def arguments(field: GraphQLField, first: str) -> str:
    given = {"first": first, "at": '"2026-06-01T00:00:00Z"'}
    return "".join(f"({name}: {given[name]})" for name in field.args if name in given)


def ways() -> list[Way]:
    """Every field that gives objects, once for each type that has it."""
    found: dict[str, Way] = {}
    ahead: list[tuple[tuple[tuple[str, str], ...], GraphQLNamedType]] = []
    assert GRAPH.query_type
    for name in ROOTS:
        field = GRAPH.query_type.fields[name]
        of = get_named_type(field.type)
        ahead.append((((name, arguments(field, "$n")),), of))
    while ahead:
        path, of = ahead.pop(0)
        for name, field in objects(of):
            key = f"{of.name}.{name}"
            if key in found or key.endswith("Connection.edges") or len(path) > 8:
                continue
            found[key] = Way(path, of.name, name)
            ahead.append(((*path, (name, arguments(field, "2"))), get_named_type(field.type)))
    return list(found.values())


WAYS: Final = ways()


def leaves(of: GraphQLNamedType) -> str:
    if isinstance(of, GraphQLInterfaceType):
        return "id"
    assert isinstance(of, GraphQLObjectType)
    names = [name for name, field in of.fields.items() if is_leaf_type(get_named_type(field.type))]
    return " ".join(names) or "__typename"


def document(way: Way) -> str:
    at = GRAPH.type_map[way.of]
    assert isinstance(at, GraphQLObjectType)
    field = at.fields[way.field]
    inner = f"{way.field}{arguments(field, '2')} {{ {leaves(get_named_type(field.type))} }}"
    for name, args in reversed(way.fields):
        inner = f"{name}{args} {{ {inner} }}"
    variables = "query ($n: Int) " if "$n" in inner else ""
    return f"{variables}{{ {inner} }}"


def looked_up(way: Way) -> bool:
    """Whether it is more than a part of its object's row, and the town has it."""
    at = GRAPH.type_map[way.of]
    assert isinstance(at, GraphQLObjectType)
    definition = at.fields[way.field].extensions["strawberry-definition"]
    return definition.base_resolver is not None and f"{way.of}.{way.field}" not in NEVER_THERE


class Counted(AsyncCursor[Any]):
    statements = 0

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        Counted.statements += 1
        return await super().execute(*args, **kwargs)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(module_database: str) -> AsyncIterator[Api]:
    pool: Pool = AsyncConnectionPool(
        module_database, min_size=1, max_size=8, open=False, kwargs={"cursor_factory": Counted}
    )
    async with pool:
        news = Alarm(module_database, CHANNEL)
        live, address = Live(pool, news), str
        app = LiveGraphQLApp(
            SCHEMA, pool, Watch(pool), authenticate, Cursors("s" * 32), permit=permit, live=live, address=address
        )
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            api = Api(client, pool, app, {}, news, live)
            await settle(api, SIZE)
            yield api


def test_no_list_at_the_root_is_forgotten() -> None:
    assert GRAPH.query_type
    lists = {
        name
        for name, field in GRAPH.query_type.fields.items()
        if is_list(field.type) or get_named_type(field.type).name.endswith("Connection")
    }
    assert lists == {*ROOTS, *ALONE}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_page_of_twenty_takes_as_many_statements_as_a_page_of_one(town: Api, way: Way) -> None:
    counted = {}
    for size in (1, SIZE):
        before = Counted.statements
        data = await town.ask(document(way), "staff", n=size)
        counted[size] = Counted.statements - before, found(data, [*(name for name, _ in way.fields), way.field])
    statements, there = counted[SIZE]
    assert statements == counted[1][0]
    assert there >= SIZE or not looked_up(way), f"only {there} to be seen"


@pytest.mark.asyncio(loop_scope="module")
async def test_many_nodes_are_read_kind_by_kind(town: Api) -> None:
    orders = await town.ask("{ orders(first: 20) { nodes { id } } users(first: 20) { nodes { id } } }", "staff")
    ids = [node["id"] for of in orders.values() for node in of["nodes"]]
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }"
    counted = {}
    for size in (2, 40):
        before = Counted.statements
        asked = [*ids[: size // 2], *ids[-size // 2 :]]
        found = (await town.ask(document, "staff", ids=asked))["nodes"]
        assert [node["id"] for node in found] == asked
        counted[size] = Counted.statements - before
    assert counted[2] == counted[40]


@pytest.mark.asyncio(loop_scope="module")
async def test_many_variants_are_read_at_once_by_sku_and_by_id(town: Api) -> None:
    page = await town.ask("{ products(first: 15) { nodes { variants { id sku } } } }", "staff")
    variants = [product["variants"][0] for product in page["products"]["nodes"]]
    ids = [variant["id"] for variant in variants]
    skus = [spelt(variant["sku"], number) for number, variant in enumerate(variants)]
    assert len(set(ids)) == len(set(skus)) == 15
    for key, values in (("id", ids), ("sku", skus)):
        counted = {}
        for size in (1, 15):
            asked = " ".join(f'v{n}: variant({key}: "{value}") {{ id }}' for n, value in enumerate(values[:size]))
            before = Counted.statements
            assert all((await town.ask(f"{{ {asked} }}", "staff")).values())
            counted[size] = Counted.statements - before
        assert counted[1] == counted[15]


def spelt(sku: str, number: int) -> str:
    """In upper case where the number has a bit: the town's variants all have one SKU."""
    return "".join(c.upper() if number >> place & 1 else c.lower() for place, c in enumerate(sku))


def found(data: Any, path: list[str]) -> int:
    """How many objects are at the end of the path."""
    if data is None:
        return 0
    if isinstance(data, list):
        return sum(found(each, path) for each in data)
    return found(data[path[0]], path[1:]) if path else 1
