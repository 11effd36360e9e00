"""GraphQL over HTTP: what is taken, what is answered, and what pages of other sites cannot do."""

from __future__ import annotations

from typing import Any

import pytest
from cross_web import HTTPException

from read_api.request import GRAPHQL_JSON, JSON, STREAM, media_type, wants_page, wants_stream
from tests.read_api.conftest import Api

PRODUCTS = "{ products(first: 50) { nodes { id } } }"


@pytest.mark.parametrize(
    "accept, chosen",
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, {JSON};q=0.9", GRAPHQL_JSON),
        (f"{JSON};q=0.9, {GRAPHQL_JSON}", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0.5;charset=utf-8, {JSON}", JSON),
        (f"text/html, {GRAPHQL_JSON}; charset=utf-8", GRAPHQL_JSON),
        ("image/*,*/*;q=0.8", JSON),
        (f"*/*, {JSON};q=0", GRAPHQL_JSON),
        (f"{JSON};q=0, */*", GRAPHQL_JSON),
        (f"application/*;q=0.5, {GRAPHQL_JSON};q=0.4", JSON),
        (f"*/*;q=0.1, {GRAPHQL_JSON};q=0.2", GRAPHQL_JSON),
        (f"{JSON.upper()};Q=0.1, {GRAPHQL_JSON};q=1.000", GRAPHQL_JSON),
    ],
)
def test_the_client_says_what_it_likes(accept: str | None, chosen: str) -> None:
    assert media_type(accept) == chosen


@pytest.mark.parametrize("accept", ["text/plain", f"{JSON};q=0", f"{JSON};q=much", f"{JSON};q=inf", "*/*;q=0", "x"])
def test_what_cannot_be_sent_is_refused(accept: str) -> None:
    with pytest.raises(HTTPException) as refused:
        media_type(accept)
    assert refused.value.status_code == 406


async def test_the_media_type_is_the_answers_too(api: Api) -> None:
    for kind in (JSON, GRAPHQL_JSON):
        answer = await api.post("{ __typename }", headers={"accept": kind})
        assert answer.headers["content-type"] == kind
        assert {"Accept", "Authorization"} <= set(answer.headers["vary"].split(", "))
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "accept, streamed",
    [
        (STREAM, True),
        ("Text/Event-Stream; charset=utf-8", True),
        (f"{STREAM}, */*;q=0.1", True),
        (f"{STREAM}, {JSON}", True),
        (f"{JSON};q=0.5, {STREAM}", True),
        (f"{STREAM};q=0, {JSON}", False),
        (f"{STREAM};q=0.5, {JSON}", False),
        (f"{GRAPHQL_JSON}, {JSON}, {STREAM}, multipart/mixed", False),
        ("*/*", False),
        ("text/*", False),
        ("", False),
    ],
)
async def test_a_stream_is_sent_to_who_likes_it_best(api: Api, accept: str, streamed: bool) -> None:
    assert wants_stream(accept) is streamed
    if not streamed and accept != "text/*":
        assert (await api.post("{ __typename }", headers={"accept": accept})).json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "accept, shown", [("text/html", True), ("TEXT/HTML, */*", True), ("text/html;q=0, */*", False)]
)
def test_a_page_is_shown_to_who_asks_for_one(accept: str, shown: bool) -> None:
    assert wants_page(accept) is shown


async def test_nobody_keeps_an_answer_or_a_refusal(api: Api) -> None:
    for document in ("{ __typename }", "{", "{ orders(first: 1) { nodes { id } } }"):
        assert (await api.post(document)).headers["cache-control"] == "no-store"
    assert (await api.client.put("/graphql")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
async def test_what_a_form_of_another_site_can_post_is_not_taken(api: Api, content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}
    answer = await api.client.post("/graphql", content=b'{"query": "{ __typename }"}', headers=headers)
    assert answer.status_code == 415
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_MEDIA_TYPE"


async def test_another_encoding_is_not_taken(api: Api) -> None:
    answer = await api.client.post("/graphql", content=b"{}", headers={"content-type": f"{JSON}; charset=utf-16"})
    assert answer.status_code == 415


class TestGet:
    async def get(self, api: Api, headers: dict[str, str], **parameters: Any) -> Any:
        return await api.client.get("/graphql", params={"query": PRODUCTS} | parameters, headers=headers)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"accept": GRAPHQL_JSON},
            {"content-type": "text/plain"},
            {"accept": "text/event-stream"},
        ],
    )
    async def test_a_simple_request_of_another_site_cannot_ask_for_much(
        self, api: Api, headers: dict[str, str]
    ) -> None:
        answer = await self.get(api, headers)
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["extensions"]["code"] == "CROSS_SITE_QUERY"

    @pytest.mark.parametrize(
        "headers",
        [
            {"graphql-require-preflight": "1"},
            {"apollo-require-preflight": "true"},
            {"authorization": "Bearer customer"},
            {"content-type": JSON},
            {"sec-fetch-site": "same-origin"},
            {"sec-fetch-site": "none"},
        ],
    )
    async def test_with_a_header_it_is_no_simple_request(self, api: Api, headers: dict[str, str]) -> None:
        assert (await self.get(api, headers)).json()["data"] == {"products": {"nodes": []}}

    async def test_variables_and_the_operations_name_come_as_parameters(self, api: Api) -> None:
        document = "query A($n: Int!) { products(first: $n) { nodes { id } } } query B { __typename }"
        answer = await self.get(api, {}, query=document, variables='{"n": 2}', operationName="A")
        assert answer.json()["extensions"]["cost"]["requested"] == 1 + 2

    @pytest.mark.parametrize("parameters", [{"variables": "{"}, {"variables": "[]"}, {"extensions": "1"}])
    async def test_parameters_of_another_type_are_refused(self, api: Api, parameters: dict[str, str]) -> None:
        answer = await self.get(api, {}, **parameters)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["extensions"]["code"] == "VALIDATION_FAILED"


async def test_errors_carry_the_trace(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.app, "_trace_id", lambda _: "0af7651916cd43dd8448eb211c80319c")
    for document in ("{", "{ nothing }", "{ me { id } }", "{ orders(first: 0) { nodes { id } } }"):
        (error,) = (await api.post(document)).json()["errors"]
        assert error["extensions"]["traceId"] == "0af7651916cd43dd8448eb211c80319c"
