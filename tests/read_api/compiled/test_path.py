"""What is compiled, what is left to the executor, and that one request is one statement."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from pydantic_core import to_json

from read_api.compiled.path import MOST_ARGUMENTS, MOST_PLANS, MOST_STATEMENTS, CompiledPath, known_of
from read_api.compiled.roots import ROOTS
from read_api.context import Context
from tests.domain.orders.samples import placed
from tests.projections.stories import order_id, told
from tests.read_api.conftest import ACTORS, SCHEMA, Api

PAGE = """query ($n: Int!, $more: Boolean!) { orders(first: $n) {
    nodes { id customer { id } lines { sku } payment @include(if: $more) { status } chargeStatus }
    pageInfo { endCursor } } }"""


async def compiled(api: Api, document: str, who: str = "customer", **variables: Any) -> bytes | None:
    asked = SCHEMA.documents.ask(document, None, variables)
    return await CompiledPath(SCHEMA, api.app._cursors).data(asked, ACTORS[who], api.pool)


def test_each_root_field_asks_the_same_of_who_asks_as_its_resolver() -> None:
    fields = {f.python_name: f.permission_classes for f in SCHEMA.get_type_by_name("Query").fields}  # type: ignore[union-attr]
    assert {name: [root.access] for name, root in ROOTS.items()} == {name: fields[name] for name in ROOTS}


async def test_a_page_is_one_statement(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.has_seen("orders", told((placed,), order_id(1)))
    statements: list[Any] = []
    execute = psycopg.AsyncCursor.execute

    async def counted(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        statements.append(query)
        return await execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", counted)
    for _ in range(2):
        answer = await api.post(PAGE, "customer", n=10, more=True)
        assert answer.json()["data"]["orders"]["nodes"][0]["chargeStatus"] == "NONE"
    assert len(statements) == 2


@pytest.mark.parametrize(
    "document",
    [
        "{ readModels { model } }",
        "{ categories { name } }",
        '{ me { id } category(id: "1") { id } }',
        '{ products(first: 1) { nodes { variants { priceAt(at: "2026-01-01T00:00:00Z") { amount } } } } }',
        '{ node(id: "1") { id } }',
        "{ __schema { description } me { id } }",
        "{ orders(first: 0) { nodes { id } } }",
        '{ orders(first: 1, after: "x") { nodes { id } } }',
        '{ orders(first: 1, where: {customerId: {eq: "x"}}) { nodes { id } } }',
        "{ users(first: 1) { nodes { id } } }",
        "{ me @skip(if: true) { id } }",
        "{ ... @include(if: false) { __typename } a: __typename }",
    ],
)
async def test_what_is_not_in_the_tables_or_refused_is_left_to_the_executor(api: Api, document: str) -> None:
    assert await compiled(api, document) is None
    assert (await api.post(document, "customer")).status_code == 200


async def test_a_statement_that_fails_is_left_to_the_executor(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.has_seen("orders", told((placed,), order_id(1)))

    async def fails(*args: Any) -> bytes:
        raise psycopg.errors.UntranslatableCharacter("\\u0000 cannot be converted to text")

    monkeypatch.setattr("read_api.compiled.path.answered", fails)
    assert (await api.ask("{ orders(first: 1) { nodes { version } } }"))["orders"]["nodes"] == [{"version": 1}]


@pytest.mark.parametrize("where", ['{createdAt: {gte: "2020-01-01T00:00:00Z"}}', "{status: {in: [PLACED]}}", "{}"])
@pytest.mark.parametrize("order", ["CREATED_AT_ASC", "CREATED_AT_DESC"])
@pytest.mark.parametrize("way", ["first: 2, after", "last: 2, before"])
async def test_pages_go_on_from_where_they_ended(api: Api, where: str, order: str, way: str) -> None:
    await api.has_seen("orders", [event for n in range(5) for event in told((placed,), order_id(n))])
    document = f"query ($c: String) {{ orders({way}: $c, orderBy: {order}, where: {where}) {{ %s }} }}" % (
        "edges { cursor node { id } } nodes { id } totalCount"
        " pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
    )
    cursor, seen = None, []
    for _ in range(3):
        quick = await compiled(api, document, c=cursor)
        assert quick is not None
        monkey, api.app._compiled = api.app._compiled, None
        slow = await api.post(document, "customer", c=cursor)
        api.app._compiled = monkey
        assert slow.text.startswith(f'{{"data":{quick.decode()},')
        page = slow.json()["data"]["orders"]
        cursor = page["pageInfo"]["endCursor" if way.startswith("first") else "startCursor"]
        seen += [node["id"] for node in page["nodes"]]
    assert sorted(seen) == sorted(str(order_id(n)) for n in range(5))


class TestNothingIsSelected:
    """What directives leave out leaves an object with nothing in it, or a list of such."""

    @pytest.mark.parametrize(
        "selected, expected",
        [
            ("nodes @include(if: $no) { id }", "{}"),
            ("edges { cursor @skip(if: true) }", '{"edges":[{},{}]}'),
            ("edges { node { id @include(if: $no) } }", '{"edges":[{"node":{}},{"node":{}}]}'),
            ("edges { ... @include(if: $no) { cursor } node @include(if: $no) { id } }", '{"edges":[{},{}]}'),
            ("pageInfo { endCursor @skip(if: true) }", '{"pageInfo":{}}'),
            ("nodes { id @skip(if: true) }", '{"nodes":[{},{}]}'),
            ("nodes { total { amount @skip(if: true) } }", '{"nodes":[{"total":{}},{"total":{}}]}'),
            ("nodes { lines { sku @skip(if: true) } }", '{"nodes":[{"lines":[{},{}]},{"lines":[{},{}]}]}'),
            ("nodes { address { city @include(if: $no) } }", '{"nodes":[{"address":{}},{"address":{}}]}'),
            ("nodes @skip(if: true) { id } totalCount", '{"totalCount":2}'),
        ],
    )
    async def test_of_a_list(self, api: Api, selected: str, expected: str) -> None:
        await api.has_seen("orders", [event for n in range(2) for event in told((placed,), order_id(n))])
        document = (
            f"query ($no: Boolean! = false) {{ orders(first: 2) {{ {selected} k: __typename @include(if: $no) }} }}"
        )
        data = f'{{"orders":{expected}}}'
        assert await compiled(api, document) == data.encode()
        assert to_json((await SCHEMA.execute(document, context_value=context(api))).data).decode() == data


def context(api: Api) -> Context:
    return Context(ACTORS["customer"], api.pool, api.app._cursors)


async def test_fragments_that_spread_each_other_twice_do_not_multiply(api: Api) -> None:
    """Each once, whatever depth: thirty-eight levels of two are more than could ever be gone through."""
    doubling = " ".join(f"fragment F{n} on User {{ ...F{n + 1} ...F{n + 1} }}" for n in range(38))
    document = f"{{ me {{ ...F0 }} }} {doubling} fragment F38 on User {{ id }}"
    assert await compiled(api, document) == b'{"me":null}'


class TestWhatIsRemembered:
    """Nothing grows with what clients send."""

    def known(self, document: str, flags: int) -> tuple[Any, list[dict[str, Any]]]:
        asked = SCHEMA.documents.ask(document, None, None)
        ways: list[dict[str, Any]] = [
            {f"b{bit}": bool(number >> bit & 1) for bit in range(flags)} for number in range(2**flags)
        ]
        return known_of(asked.operation), ways

    async def test_plans_by_the_setting_of_directives(self, api: Api) -> None:
        fields = " ".join(f"a{bit}: id @include(if: $b{bit})" for bit in range(7))
        declared = " ".join(f"$b{bit}: Boolean! = false" for bit in range(7))
        document = f"query ({declared}) {{ me {{ id {fields} }} }}"
        known, ways = self.known(document, 7)
        for way in ways:
            assert await compiled(api, document, **way) == b'{"me":null}'
        assert len(known.plans) <= MOST_PLANS < len(ways)
        assert len(known.bound) <= MOST_ARGUMENTS < len(ways)
        assert len(known.statements) <= MOST_STATEMENTS < len(ways)

    async def test_statements_by_their_length(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        document = "query ($n: Int!) { orders(first: $n) { nodes { lines { sku } shipments { lines { line } } } } }"
        monkeypatch.setattr("read_api.compiled.path.MOST_BYTES", 5_000)
        known, _ = self.known(document, 0)
        for n in range(1, 20):
            assert await compiled(api, document, n=n) is not None
        assert 0 < known.statements.weight <= 5_000

    @pytest.mark.parametrize("document", ["{ readModels { model } }", "{ me { availableActions { name } } }"])
    async def test_why_there_is_no_plan_without_whoever_asked(self, api: Api, document: str) -> None:
        """An exception that is raised again and again keeps every frame it went through."""
        for _ in range(3):
            assert await compiled(api, document) is None
        known = known_of(SCHEMA.documents.ask(document, None, None).operation)
        kept = [*known.plans._known.values(), *known.statements._known.values()]
        assert kept
        assert not any(isinstance(each, BaseException) for each in kept)
