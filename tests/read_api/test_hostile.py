"""Documents that are meant to hurt: each is refused with its reason, and the database is not asked for anything."""

from __future__ import annotations

from typing import Any

import pytest

from bench.hostile_documents import HOSTILE, ONE
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
