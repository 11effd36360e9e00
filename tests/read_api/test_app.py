from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg_pool import PoolTimeout

from commands.codes import HTTP_ONLY
from domain.errors import REFUSALS
from domain.ids import slice_of
from domain.token import ConsistencyToken
from projections.orders.queries import ORDERS
from read_api import app as module
from read_api.access import Public
from read_api.answers import CODES, INTERNAL, RATE_LIMITED, UNAVAILABLE
from read_api.schema import make_schema
from tests.domain.orders.samples import placed
from tests.projections.stories import order_id, told
from tests.read_api.conftest import ALLOWANCE, SCHEMA, Api

MINE = "query ($id: ID!) { order(id: $id) { version } }"


async def post(api: Api, content: bytes | str, **headers: str) -> httpx.Response:
    return await api.client.post("/graphql", content=content, headers={"content-type": "application/json", **headers})


def error_of(response: httpx.Response) -> Any:
    (error,) = response.json()["errors"]
    return error


def test_every_code_is_in_the_one_list() -> None:
    ours = {
        *CODES.values(),
        "VALIDATION_FAILED",
        RATE_LIMITED,
        *(error["extensions"]["code"] for error in (INTERNAL, UNAVAILABLE)),
    }
    assert ours <= set(HTTP_ONLY) | set(REFUSALS)


class TestWhoAsks:
    async def test_nobody_may_ask_for_orders(self, api: Api) -> None:
        error = await api.refused("{ orders(first: 1) { nodes { id } } }", who=None)
        assert error["extensions"]["code"] == "UNAUTHENTICATED"

    async def test_customers_may_not_look_at_the_machine(self, api: Api) -> None:
        assert (await api.refused("{ readModels { model } }"))["extensions"]["code"] == "FORBIDDEN"

    @pytest.mark.parametrize("header", ["Bearer forged", "Bearer", "Basic YTpi", "x"])
    async def test_a_bad_token_is_refused_before_anything_is_executed(self, api: Api, header: str) -> None:
        response = await post(api, b"{}", authorization=header)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert error_of(response)["extensions"]["code"] in {"TOKEN_INVALID", "UNAUTHENTICATED"}

    def test_a_root_field_that_does_not_say_who_may_ask_does_not_get_in(self) -> None:
        assert make_schema()
        fields = SCHEMA.get_type_by_name("Query").fields  # type: ignore[union-attr]
        public = {f.python_name for f in fields if Public in f.permission_classes}
        of_products = {"search_products", "product", "products", "variant", "category", "categories"}
        assert public == {"node", "nodes", *of_products}


class TestReadingOnesOwnWrites:
    async def test_a_token_is_waited_for(self, api: Api) -> None:
        feed = await api.has_seen("orders", told((placed,), order_id(1)))
        token = ConsistencyToken.of("orders", feed.incarnation, [(slice_of(order_id(1)), 1)])
        response = await api.post(MINE, "customer", {"consistency-token": str(token)}, id=str(order_id(1)))
        assert response.json()["data"] == {"order": {"version": 1}}
        assert response.json()["extensions"]["consistency"]["satisfied"] is True

    async def test_what_does_not_come_in_time_is_told_with_the_data_there_is(self, api: Api) -> None:
        feed = await api.has_seen("orders", told((placed,), order_id(1)))
        token = ConsistencyToken.of("orders", feed.incarnation, [(slice_of(order_id(1)), 2)])
        response = await api.post(MINE, "customer", {"consistency-token": str(token)}, id=str(order_id(1)))
        assert response.json()["data"] == {"order": {"version": 1}}
        consistency = response.json()["extensions"]["consistency"]
        assert consistency["satisfied"] is False
        assert consistency["waitedMs"] >= ALLOWANCE.waiting * 1000

    async def test_without_a_token_nothing_is_said_of_it(self, api: Api) -> None:
        assert "consistency" not in (await api.post("{ __typename }")).json()["extensions"]

    async def test_a_token_that_is_none_is_refused(self, api: Api) -> None:
        response = await api.post(MINE, "customer", {"consistency-token": "x"}, id="1")
        assert response.status_code == 400
        assert error_of(response)["extensions"]["code"] == "INVALID_CONSISTENCY_TOKEN"


class TestRequests:
    @pytest.mark.parametrize(
        "content", [b"", b"{", b"\xff", b"[]", b"1", b'"x"', b"null", b'[{"query":"{__typename}"}]', b"[" * 5000, b"{}"]
    )
    async def test_what_is_no_request_is_refused(self, api: Api, content: bytes) -> None:
        response = await post(api, content)
        assert response.status_code == 400
        assert error_of(response)["extensions"]["code"] == "VALIDATION_FAILED"

    @pytest.mark.parametrize(
        "body",
        [{"query": 1}, {"query": "{__typename}", "variables": []}, {"query": "{__typename}", "operationName": 1}],
    )
    async def test_parts_of_another_type_are_refused(self, api: Api, body: Any) -> None:
        response = await post(api, json.dumps(body))
        assert response.status_code == 400
        assert error_of(response)["extensions"]["code"] == "VALIDATION_FAILED"

    async def test_a_long_body_is_refused(self, api: Api) -> None:
        response = await post(api, b'{"query": "' + b" " * ALLOWANCE.body + b'"}')
        assert response.status_code == 413
        assert error_of(response)["extensions"]["code"] == "BODY_TOO_LARGE"

    async def test_other_methods_are_refused(self, api: Api) -> None:
        response = await api.client.put("/graphql", json={"query": "{ __typename }"})
        assert response.status_code == 405
        assert error_of(response)["extensions"]["code"] == "METHOD_NOT_ALLOWED"

    async def test_without_graphiql_there_is_no_page(self, api: Api) -> None:
        assert (await api.client.get("/graphql", headers={"accept": "text/html"})).status_code == 404

    async def test_a_query_may_come_by_get(self, api: Api) -> None:
        response = await api.client.get("/graphql", params={"query": "{ __typename }"})
        assert response.json()["data"] == {"__typename": "Query"}


@pytest.mark.usefixtures("executed")
class TestErrors:
    async def test_what_is_our_fault_is_not_shown(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        async def fails(*args: Any) -> None:
            raise RuntimeError("the password is 12345")

        monkeypatch.setattr(ORDERS, "many", fails)
        response = await api.post(MINE, "customer", id=str(order_id(1)))
        assert "12345" not in response.text
        assert error_of(response)["extensions"] == {"code": "INTERNAL_ERROR"}
        assert error_of(response)["path"] == ["order"]

    @pytest.mark.parametrize("error", [psycopg.OperationalError("no route"), PoolTimeout("none free")])
    async def test_a_database_that_is_away_is_said_to_be(
        self, api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        async def fails(*args: Any) -> None:
            raise error

        monkeypatch.setattr(ORDERS, "many", fails)
        assert (await api.refused(MINE, id=str(order_id(1))))["extensions"] == {"code": "UNAVAILABLE"}

    async def test_without_a_database_there_is_no_waiting_for_a_token(self, api: Api) -> None:
        await api.pool.close()
        token = ConsistencyToken.of("orders", uuid4(), [(1, 1)])
        response = await api.post(MINE, "customer", {"consistency-token": str(token)}, id="1")
        assert response.status_code == 503
        assert error_of(response)["extensions"]["code"] == "UNAVAILABLE"

    async def test_a_slow_query_is_given_up(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        async def sleeps(*args: Any) -> None:
            await asyncio.sleep(60)

        monkeypatch.setattr(ORDERS, "many", sleeps)
        monkeypatch.setattr(api.app, "_allowance", module.Allowance(executing=0.05))
        assert (await api.refused(MINE, id=str(order_id(1))))["extensions"]["code"] == "QUERY_TIMED_OUT"

    @pytest.mark.parametrize(
        "query", ["{", "{ nothing }", "{ order }", "{ order(id: 1) { id } ", "query Q { a } query R { b }"]
    )
    async def test_a_document_that_is_not_valid_is_refused(self, api: Api, query: str) -> None:
        body = (await api.post(query, "customer")).json()
        assert {e["extensions"]["code"] for e in body["errors"]} == {"INVALID_DOCUMENT"}


@pytest.mark.parametrize("name, data", [("Q", {"q": "Query"}), ("R", {"r": "Query"}), (None, None)])
async def test_one_of_several_operations_must_be_named(api: Api, name: str | None, data: Any) -> None:
    document = "query Q { q: __typename } query R { r: __typename }"
    body = (await api.client.post("/graphql", json={"query": document, "operationName": name})).json()
    assert body.get("data") == data
    assert [error["extensions"]["code"] for error in body.get("errors", [])] == ([] if name else ["INVALID_DOCUMENT"])


@pytest.mark.parametrize("name", ["", None])
async def test_an_empty_name_is_none(api: Api, name: str | None) -> None:
    asked = {"query": "query Only { __typename }", "operationName": name}
    parameters = {key: value for key, value in asked.items() if value is not None}
    for answer in (await api.client.post("/graphql", json=asked), await api.client.get("/graphql", params=parameters)):
        assert answer.json()["data"] == {"__typename": "Query"}


async def test_operators_see_how_far_each_read_model_is(api: Api) -> None:
    await api.has_seen("orders", told((placed,), order_id(1)))
    models = await api.ask(
        "{ readModels { model generation status context floor worker lag { events seconds } } }", "staff"
    )
    assert models["readModels"][0] == {
        "model": "orders",
        "generation": 1,
        "status": "LIVE",
        "context": "orders",
        "floor": 1,
        "worker": "RUNNING",
        "lag": {"events": 0, "seconds": 0.0},
    }
