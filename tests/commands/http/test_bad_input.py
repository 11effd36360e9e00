"""Whatever is sent: a problem with a code, and nothing reaches the write loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from commands.codes import all_sorts
from commands.http import Commands
from domain.ids import new_id
from tests.commands.http.shop import FakeLoop, api, client

pytestmark = pytest.mark.asyncio

HEADERS = {"idempotency-key": "k", "content-type": "application/json"}
GOODS = {"sku": "a", "quantity": 1}


async def refusal(loop: FakeLoop, content: Any, path: str = "/v1/stalls", **headers: str) -> tuple[int, dict[str, Any]]:
    body = content if isinstance(content, bytes | str) else json.dumps(content)
    async with client(loop) as c:
        answer = await c.post(path, content=body, headers=HEADERS | headers)
    assert not loop.seen
    return checked(answer)


def checked(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    """Every problem has one shape, and its code is in the list."""
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem.keys() == {
        "type", "title", "status", "code", "detail", "facts", "errors", "retryable", "traceId",
    }  # fmt: skip
    assert problem["status"] == answer.status_code
    assert problem["code"] in {sort.code for sort in all_sorts()}
    assert answer.headers["x-correlation-id"]
    return answer.status_code, problem


@pytest.mark.parametrize(
    "body",
    [
        "{", "nope", '{"name": }', '{"name": "Fish",}', "{'name': 'Fish'}", '{"name": NaN}', '{"name": Infinity}',
        '{"name": "Fish"} {}', '{"name": "a\nb"}', "\ufeff{}", '{"name": "\\ud800"}', '{"name": "\\x"}',
        '{"rent": ' + "9" * 5000 + "}", "[" * 100_000, '{"a":' * 100_000,
    ],
    ids=lambda body: body[:20],
)  # fmt: skip
async def test_what_is_not_json_is_400(body: str):
    loop = FakeLoop()
    async with client(loop, body_limit=1_000_000) as c:
        answer = await c.post("/v1/stalls", content=body.encode(), headers=HEADERS)
    status, problem = checked(answer)
    assert (status, problem["code"] in {"MALFORMED_JSON", "TOO_DEEP"}) == (400, True)


async def test_where_json_breaks_is_said(loop: FakeLoop):
    _, problem = await refusal(loop, '{"name": "Fish",\n "rent" 5}')
    assert "line 2 column 9" in problem["detail"]


@pytest.mark.parametrize("body", [b'{"name": "\xff"}', b"\xff\xfe{\x00}\x00", b'{"name": "\xc3"}', b"\x80"])
async def test_what_is_not_utf8_is_400(loop: FakeLoop, body: bytes):
    status, problem = await refusal(loop, body)
    assert (status, problem["code"]) == (400, "MALFORMED_JSON")


@pytest.mark.parametrize(
    "body",
    ['{"name": "Fish", "name": "Meat"}', '{"name": "Fish", "rent": {"amount": 1, "amount": 2, "currency": "EUR"}}',
     '{"name": "Fish", "n\\u0061me": "Meat"}'],
)  # fmt: skip
async def test_a_field_that_occurs_twice_is_400(loop: FakeLoop, body: str):
    status, problem = await refusal(loop, body)
    assert (status, problem["code"]) == (400, "DUPLICATE_FIELD")


async def test_nesting_is_bounded(loop: FakeLoop):
    status, problem = await refusal(loop, '{"name": ' + "[" * 20 + "]" * 20 + "}")
    assert (status, problem["code"], problem["facts"]["maximum"]) == (400, "TOO_DEEP", 20)


@pytest.mark.parametrize("body", ["[]", '"a"', "1", "null", "true"])
async def test_the_body_is_an_object(loop: FakeLoop, body: str):
    status, problem = await refusal(loop, body)
    assert (status, problem["code"]) == (422, "VALIDATION_FAILED")
    assert problem["errors"][0]["pointer"] == ""


@pytest.mark.parametrize(
    "change, pointer, code",
    [
        ({"colour": "red"}, "/colour", "EXTRA_FORBIDDEN"),
        ({"a/b~c": 1}, "/a~1b~0c", "EXTRA_FORBIDDEN"),
        ({"by": {"roles": ["admin"]}}, "/by", "EXTRA_FORBIDDEN"),
        ({"name": None}, "/name", "STRING_TYPE"),
        ({"name": 7}, "/name", "STRING_TYPE"),
        ({"name": "a\x00b"}, "/name", "NUL_CHARACTER"),
        ({"goods": [{**GOODS, "sku": "\x00"}]}, "/goods/0/sku", "NUL_CHARACTER"),
        ({"a\x00": 1}, "", "NUL_CHARACTER"),
        ({"name": "x"}, "/name", "STRING_TOO_SHORT"),
        ({"name": "x" * 51}, "/name", "STRING_TOO_LONG"),
        ({"id": "7"}, "/id", "UUID_PARSING"),
        ({"id": 7}, "/id", "UUID_TYPE"),
        ({"goods": [GOODS, {**GOODS, "quantity": -1}]}, "/goods/1/quantity", "GREATER_THAN_EQUAL"),
        ({"goods": [{**GOODS, "quantity": 0}]}, "/goods/0/quantity", "GREATER_THAN_EQUAL"),
        ({"goods": [{**GOODS, "quantity": "1"}]}, "/goods/0/quantity", "INT_TYPE"),
        ({"goods": [{**GOODS, "quantity": 1.5}]}, "/goods/0/quantity", "INT_TYPE"),
        ({"goods": [{**GOODS, "quantity": True}]}, "/goods/0/quantity", "INT_TYPE"),
        ({"goods": [{"quantity": 1}]}, "/goods/0/sku", "MISSING"),
        ({"goods": [GOODS] * 4}, "/goods", "TOO_LONG"),
        ({"goods": {}}, "/goods", "TUPLE_TYPE"),
        ({"rent": {"amount": 2**63, "currency": "EUR"}}, "/rent/amount", "LESS_THAN_EQUAL"),
        ({"rent": {"amount": 2**53, "currency": "EUR"}}, "/rent/amount", "LESS_THAN_EQUAL"),
        ({"rent": {"amount": -1, "currency": "EUR"}}, "/rent/amount", "GREATER_THAN_EQUAL"),
        ({"rent": {"amount": 1e2, "currency": "EUR"}}, "/rent/amount", "INT_TYPE"),
        ({"rent": {"amount": 1, "currency": "XXX"}}, "/rent/currency", "STRING_PATTERN_MISMATCH"),
        ({"rent": {"amount": 1, "currency": "eur"}}, "/rent/currency", "STRING_PATTERN_MISMATCH"),
        ({"rent": {"amount": 1, "currency": "EUR", "x": 1}}, "/rent/x", "EXTRA_FORBIDDEN"),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else str(value),
)
async def test_what_is_wrong_is_pointed_to(loop: FakeLoop, change: dict[str, Any], pointer: str, code: str):
    status, problem = await refusal(loop, {"name": "Fish", **change})
    assert (status, problem["code"]) == (422, "VALIDATION_FAILED")
    [fault] = problem["errors"]
    assert (fault["pointer"], fault["code"]) == (pointer, code)
    assert fault["detail"]


async def test_a_backslash_before_u0000_is_just_text(loop: FakeLoop):
    async with client(loop) as c:
        answer = await c.post("/v1/stalls", content=r'{"name": "a\\u0000b"}', headers=HEADERS)
    assert answer.status_code == 201


async def test_names_as_python_has_them_are_unknown_fields(loop: FakeLoop):
    """camelCase outside, snake_case inside: only one of them is the interface."""
    status, problem = await refusal(loop, {"answer_kind": 1, "name": "Fish"})
    assert (status, problem["errors"][0]["code"]) == (422, "EXTRA_FORBIDDEN")


async def test_everything_wrong_is_told_at_once_but_not_without_end(loop: FakeLoop):
    _, problem = await refusal(loop, {f"x{n}": 1 for n in range(60)})
    assert (len(problem["errors"]), problem["facts"]["count"]) == (50, 61)


async def test_a_value_is_never_sent_back(loop: FakeLoop):
    _, problem = await refusal(loop, {"name": 7777777, "goods": "hunter2-secret"})
    assert "hunter2" not in json.dumps(problem)


# -- size


async def test_a_body_that_says_it_is_too_large_is_413(loop: FakeLoop):
    status, problem = await refusal(loop, b" " * 2001)
    assert (status, problem["code"], problem["facts"]["maximum"]) == (413, "BODY_TOO_LARGE", 2000)


async def test_a_body_that_says_nothing_is_counted_as_it_comes():
    loop, taken = FakeLoop(), []

    async def endless() -> AsyncIterator[bytes]:
        for n in range(1000):
            taken.append(n)
            yield b" " * 100

    async with client(loop) as c:
        answer = await c.post("/v1/stalls", content=endless(), headers=HEADERS)
    assert checked(answer)[1]["code"] == "BODY_TOO_LARGE"
    assert answer.headers["connection"] == "close"


async def test_a_body_that_says_too_little_is_counted_as_well():
    received = iter([{"type": "http.request", "body": b" " * 1500, "more_body": True}] * 3)
    sent: list[Any] = []

    async def receive() -> Any:
        return next(received)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", b"Bearer ann"), (b"content-length", b"10"), (b"idempotency-key", b"k")]
    scope = {"type": "http", "method": "POST", "path": "/v1/stalls", "headers": headers}
    await Commands(api(FakeLoop())).handle(scope, receive, send)
    assert sent[0]["status"] == 413
    assert len(list(received)) == 1


async def test_a_client_that_goes_away_is_not_answered():
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", b"Bearer ann"), (b"idempotency-key", b"k")]
    scope = {"type": "http", "method": "POST", "path": "/v1/stalls", "headers": headers}
    await Commands(api(FakeLoop())).handle(scope, receive, send)
    assert not sent


# -- media types


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "json", ""]
)
async def test_what_is_not_declared_as_json_is_415(loop: FakeLoop, kind: str):
    status, problem = await refusal(loop, {"name": "Fish"}, **{"content-type": kind})
    assert (status, problem["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON; Charset=UTF-8",
        "application/vnd.chobo+json",
        'application/json;charset="utf-8"',
    ],
)
async def test_json_may_be_declared_in_several_ways(loop: FakeLoop, kind: str):
    async with client(loop) as c:
        answer = await c.post("/v1/stalls", content='{"name": "Fish"}', headers={**HEADERS, "content-type": kind})
    assert answer.status_code == 201


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/json;q=0", "*/*;q=0.0"])
async def test_who_does_not_take_json_gets_406(loop: FakeLoop, accept: str):
    status, problem = await refusal(loop, {"name": "Fish"}, accept=accept)
    assert (status, problem["code"]) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("accept", ["application/json", "text/html, */*;q=0.1", "application/*", "APPLICATION/JSON"])
async def test_who_takes_json_among_others_gets_it(loop: FakeLoop, accept: str):
    async with client(loop) as c:
        answer = await c.post("/v1/stalls", json={"name": "Fish"}, headers={"idempotency-key": "k", "accept": accept})
    assert answer.status_code == 201


# -- addresses and methods


@pytest.mark.parametrize(
    "path",
    [
        "/v1/", "/v1/nothing", "/v1/stalls/", "/v1/stalls/7/rename", "/v1/stalls/{id}/sell", "/v1/stalls/{id}/",
        "/v1/stalls/{id}/rename/", "/v1/stalls/{{id}}/rename", "/v1//stalls", "/v1/stalls/{id}/rename/x",
        "/v1/stalls/urn:uuid:{id}/rename", "/v1/%00", "/v1/stalls/{hex}/rename",
    ],
)  # fmt: skip
async def test_what_is_nowhere_is_404(loop: FakeLoop, path: str):
    id = new_id()
    address = path.replace("{id}", str(id)).replace("{hex}", id.hex)
    status, problem = await refusal(loop, {"name": "Fish"}, address)
    assert (status, problem["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/nowhere", "/problems/no-such-code", "/docs/vendor.py", "/docs/..%2fbody.py"])
async def test_outside_of_the_commands_too(loop: FakeLoop, path: str):
    async with client(loop) as c:
        assert checked(await c.get(path))[1]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "method, path, allowed",
    [
        ("GET", "/v1/stalls", "POST"),
        ("DELETE", f"/v1/stalls/{UUID(int=1)}", "GET, HEAD"),
        ("PUT", f"/v1/stalls/{UUID(int=1)}/rename", "POST"),
        ("OPTIONS", "/v1/stalls", "POST"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
async def test_another_method_is_405_and_allow_names_the_right_one(
    loop: FakeLoop, method: str, path: str, allowed: str
):
    async with client(loop) as c:
        answer = await c.request(method, path)
    assert checked(answer)[1]["code"] == "METHOD_NOT_ALLOWED"
    assert set(answer.headers["allow"].split(", ")) == set(allowed.split(", "))


# -- who asks


async def test_without_a_token_it_is_401_and_says_how(loop: FakeLoop):
    async with client(loop, None) as c:
        answer = await c.post("/v1/stalls", json={"name": "Fish"}, headers=HEADERS)
    assert checked(answer)[1]["code"] == "UNAUTHENTICATED"
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="chobo"')


@pytest.mark.parametrize("token, code", [("expired", "TOKEN_EXPIRED"), ("forged", "TOKEN_INVALID")])
async def test_a_bad_token_is_401(loop: FakeLoop, token: str, code: str):
    async with client(loop, token) as c:
        answer = await c.post("/v1/stalls", json={"name": "Fish"}, headers=HEADERS)
    assert (answer.status_code, checked(answer)[1]["code"]) == (401, code)
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("header", ["ann", "Basic YTpi", "Bearer", "Bearer "])
async def test_another_scheme_is_401(loop: FakeLoop, header: str):
    async with client(loop, None) as c:
        answer = await c.post("/v1/stalls", json={"name": "Fish"}, headers={**HEADERS, "authorization": header})
    assert (answer.status_code, checked(answer)[1]["code"]) == (401, "UNAUTHENTICATED")


async def test_the_scheme_is_not_case_sensitive(loop: FakeLoop):
    async with client(loop, None) as c:
        answer = await c.post("/v1/stalls", json={"name": "Fish"}, headers={**HEADERS, "authorization": "bearer ann"})
    assert answer.status_code == 201


async def test_a_bad_token_does_no_harm_where_none_is_needed(loop: FakeLoop):
    """Who refreshes a session sends the token that has just expired."""
    async with client(loop, "expired") as c:
        assert (await c.post("/v1/questions", json={"question": "a"})).status_code == 200


async def test_a_role_that_does_not_suffice_is_403(loop: FakeLoop):
    async with client(loop) as c:
        answer = await c.post(f"/v1/stalls/{new_id()}/close")
    status, problem = checked(answer)
    assert (status, problem["code"], problem["facts"]["scope"]) == (403, "FORBIDDEN", "orders:ship")
