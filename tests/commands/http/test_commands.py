"""A POST becomes a command, and its outcome an answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from commands.reply import OutcomeUnknown, Overloaded
from domain.ids import new_id
from domain.token import ConsistencyToken
from tests.commands.http.shop import ANN, CONTEXT, INCARNATION, FakeLoop, OpenStall, SignIn, client

pytestmark = pytest.mark.asyncio

KEY = {"idempotency-key": "one"}


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


async def opened(c: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await c.post("/v1/stalls", json={"name": "Fish", **body}, headers=KEY)


async def test_what_is_made_is_answered_with_its_address_version_and_token(loop: FakeLoop):
    async with client(loop) as c:
        answer = await opened(c)
    body = answer.json()
    assert answer.status_code == 201
    assert (body["version"], body["status"]) == (1, "OPEN")
    assert answer.headers["location"] == body["links"]["self"] == f"/v1/stalls/{body['id']}"
    assert answer.headers["etag"] == '"1"'
    token = ConsistencyToken.parse(body["consistencyToken"])
    assert answer.headers["consistency-token"] == body["consistencyToken"]
    assert token == ConsistencyToken.of(CONTEXT, INCARNATION, [(3, 1)])


async def test_the_command_knows_who_asks_and_where_it_comes_from(loop: FakeLoop):
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with client(loop) as c:
        answer = await c.post(
            "/v1/stalls", json={"name": "Fish"}, headers={**KEY, "x-correlation-id": "cart-7", "traceparent": parent}
        )
    [envelope] = loop.seen
    assert isinstance(envelope.command, OpenStall)
    assert envelope.command.by == ANN
    assert (envelope.correlation_id, envelope.traceparent) == ("cart-7", parent)
    assert answer.headers["x-correlation-id"] == "cart-7"


@pytest.mark.parametrize("bad", ["a b", "x" * 129, "ü", "<script>"])
async def test_a_correlation_id_that_is_not_safe_is_replaced(loop: FakeLoop, bad: str):
    async with client(loop) as c:
        answer = await c.post("/v1/stalls", json={"name": "Fish"}, headers=raw({**KEY, "x-correlation-id": bad}))
    assert answer.status_code == 201
    assert answer.headers["x-correlation-id"] == loop.seen[0].correlation_id != bad
    UUID(loop.seen[0].correlation_id)


async def test_the_path_names_the_aggregate(loop: FakeLoop):
    async with client(loop) as c:
        id = (await opened(c)).json()["id"]
        answer = await c.post(f"/v1/stalls/{id}/rename", json={"name": "Meat"}, headers={"if-match": '"1"'})
    assert answer.status_code == 200
    assert answer.json()["version"] == 2
    assert str(loop.seen[1].command.target) == id


async def test_what_goes_on_by_itself_is_answered_with_202_and_may_come_without_a_body(loop: FakeLoop):
    async with client(loop) as c:
        id = (await opened(c)).json()["id"]
    async with client(loop, "staff") as c:
        answer = await c.post(f"/v1/stalls/{id}/close")
    assert answer.status_code == 202
    assert answer.json()["status"] == "CLOSED"


async def test_a_refusal_is_a_problem_with_its_facts(loop: FakeLoop):
    async with client(loop, "staff") as c:
        id = (await opened(c)).json()["id"]
        await c.post(f"/v1/stalls/{id}/close")
        answer = await c.post(f"/v1/stalls/{id}/close")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "NOT_ALLOWED_NOW"
    assert problem["type"] == "/problems/not-allowed-now"
    assert problem["facts"]["allowed"] == ["OPEN"]
    assert problem["retryable"] is False
    assert len(problem["traceId"]) == 32


async def test_a_question_is_answered_without_the_loop(loop: FakeLoop):
    async with client(loop, None) as c:
        answer = await c.post("/v1/questions", json={"question": "abc"})
    assert answer.json() == {"answer": "cba"}
    assert not loop.seen


async def test_prepare_may_aim_the_command_elsewhere_and_respond_adds_fields(loop: FakeLoop):
    async with client(loop, None) as c:
        answer = await c.post("/v1/sign-ins", json={"password": "secret"})
    [envelope] = loop.seen
    assert isinstance(envelope.command, SignIn)
    assert envelope.command.password == "#secret"
    assert answer.json()["accessToken"] == "abc"
    assert answer.json()["id"] == str(envelope.command.target)


async def test_respond_may_refuse_after_the_fact_was_recorded(loop: FakeLoop):
    async with client(loop, None) as c:
        answer = await c.post("/v1/sign-ins", json={"password": "wrong password"})
    assert answer.status_code == 403
    assert len(loop.states_) == 1


async def test_too_many_waiting_is_503_with_retry_after(loop: FakeLoop):
    loop.fails_with = Overloaded(retry_after=3)
    async with client(loop) as c:
        answer = await opened(c)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "3"
    assert (answer.json()["code"], answer.json()["retryable"]) == ("OVERLOADED", True)


async def test_an_unknown_outcome_says_so(loop: FakeLoop):
    loop.fails_with = OutcomeUnknown()
    async with client(loop) as c:
        answer = await opened(c)
    assert answer.status_code == 503
    assert (answer.json()["code"], answer.json()["retryable"]) == ("OUTCOME_UNKNOWN", True)


async def test_an_unexpected_error_is_logged_and_masked(loop: FakeLoop, caplog: pytest.LogCaptureFixture):
    loop.fails_with = ZeroDivisionError("the secret is swordfish")
    async with client(loop) as c:
        answer = await opened(c)
    assert answer.status_code == 500
    assert answer.json()["code"] == "INTERNAL_ERROR"
    assert "swordfish" not in answer.text
    assert "the secret is swordfish" in caplog.text


# -- idempotency keys


async def test_a_repeated_request_gets_the_first_answer_marked(loop: FakeLoop):
    async with client(loop) as c:
        first, again = await opened(c), await opened(c)
    assert first.json()["id"] == again.json()["id"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.status_code == 201


async def test_the_same_key_with_another_body_is_refused(loop: FakeLoop):
    async with client(loop) as c:
        await opened(c)
        answer = await opened(c, name="Meat")
    assert answer.status_code == 422
    assert answer.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_the_order_of_fields_and_white_space_do_not_make_another_body(loop: FakeLoop):
    async with client(loop) as c:
        headers = {**KEY, "content-type": "application/json"}
        body = '{"name":"Fish","goods":[{"sku":"a","quantity":1}]}'
        await c.post("/v1/stalls", content=body, headers=headers)
        other = '{ "goods": [ {"quantity": 1, "sku": "a"} ], "name": "Fish" }'
        answer = await c.post("/v1/stalls", content=other, headers=headers)
    assert answer.headers["idempotent-replayed"] == "true"


async def test_a_replayed_refusal_is_marked_too(loop: FakeLoop):
    id = str(new_id())
    async with client(loop) as c:
        await opened(c, id=id)
        headers = {"idempotency-key": "two"}
        first = await c.post("/v1/stalls", json={"name": "Fish", "id": id}, headers=headers)
        again = await c.post("/v1/stalls", json={"name": "Fish", "id": id}, headers=headers)
    assert first.status_code == again.status_code == 409
    assert again.headers["idempotent-replayed"] == "true"


async def test_keys_belong_to_the_principal_and_the_route(loop: FakeLoop):
    async with client(loop) as c:
        ann = await opened(c)
    async with client(loop, "bob") as c:
        bob = await opened(c)
        assert ann.json()["id"] != bob.json()["id"]
        renamed = await c.post(
            f"/v1/stalls/{bob.json()['id']}/rename", json={"name": "Fish"}, headers={**KEY, "if-match": "*"}
        )
    assert "idempotent-replayed" not in renamed.headers


async def test_the_path_belongs_to_what_the_key_stands_for(loop: FakeLoop):
    async with client(loop) as c:
        one = (await opened(c)).json()["id"]
        two = (await c.post("/v1/stalls", json={"name": "Meat"}, headers={"idempotency-key": "2"})).json()["id"]
        headers = {"idempotency-key": "rename", "if-match": "*"}
        await c.post(f"/v1/stalls/{one}/rename", json={"name": "Rice"}, headers=headers)
        answer = await c.post(f"/v1/stalls/{two}/rename", json={"name": "Rice"}, headers=headers)
    assert answer.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_where_a_key_is_required_it_is(loop: FakeLoop):
    async with client(loop) as c:
        answer = await c.post("/v1/stalls", json={"name": "Fish"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "IDEMPOTENCY_KEY_REQUIRED"
    assert not loop.seen


@pytest.mark.parametrize("key", [b"", b" ", b"x" * 256, "ü".encode(), b"a\tb"])
async def test_a_malformed_key_is_refused(loop: FakeLoop, key: bytes):
    async with client(loop) as c:
        answer = await c.post("/v1/stalls", json={"name": "Fish"}, headers=[(b"idempotency-key", key)])
    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_HEADER"


async def test_the_longest_key_is_taken(loop: FakeLoop):
    async with client(loop) as c:
        answer = await c.post("/v1/stalls", json={"name": "Fish"}, headers={"idempotency-key": "x" * 255})
    assert answer.status_code == 201
