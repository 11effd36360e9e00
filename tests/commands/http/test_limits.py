"""Who asks too often is refused with 429, on any route, and told on every answer how much is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest

from commands.access import SCOPES, open_to_anybody
from commands.app import app
from commands.http import CommandApi
from commands.limits import BY_SCOPE, COMMANDS, ENTRY, PLACING, READS, Admission, Limit, limit_of
from commands.router import RESOURCES as REAL_RESOURCES
from commands.router import ROUTES as REAL_ROUTES
from commands.table import Table
from domain.actor import ANONYMOUS, Actor, Role, service
from domain.ids import new_id
from tests.commands.http.shop import (
    ANN,
    CONTEXT,
    INCARNATION,
    RESOURCES,
    ROUTES,
    FakeLoop,
    authenticate,
    no_keys,
    services,
)


@dataclass
class OneEach:
    """Lets through as many of each actor as it is told, and services always."""

    left: int = 1
    seen: list[tuple[str, Actor]] = field(default_factory=list)

    async def admit(self, limit: Limit, actor: Actor, scope: Any, cost: int = 1) -> Admission | None:
        self.seen.append((limit.name, actor))
        if limit.of(actor) is None:
            return None
        self.left -= 1
        return Admission(limit.name, 60, 7 if self.left < 0 else 0, [(b"ratelimit", b'"x";r=0;t=9')])


@asynccontextmanager
async def client(loop: FakeLoop, limiter: OneEach, token: str | None = "ann") -> AsyncIterator[httpx.AsyncClient]:
    table = Table(ROUTES, RESOURCES)
    api = CommandApi(table, {CONTEXT: loop}, {CONTEXT: INCARNATION}, services(loop), authenticate, limiter=limiter)
    transport = httpx.ASGITransport(app(api, ROUTES, RESOURCES, jwks=no_keys))
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://chobo", headers=headers) as c:
        yield c


def keyed() -> dict[str, str]:
    return {"idempotency-key": str(new_id())}


async def test_what_is_too_much_is_a_problem_that_says_when_to_come_again(loop):
    async with client(loop, OneEach(0)) as c:
        answer = await c.post("/v1/stalls", json={"name": "Tea"}, headers=keyed())
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.headers["retry-after"], answer.headers["ratelimit"]) == ("7", '"x";r=0;t=9')
    problem = answer.json()
    assert (problem["code"], problem["retryable"]) == ("RATE_LIMITED", True)
    assert problem["facts"] == {"limit": "placing", "allowed": 60, "retryAfter": 7}
    assert not loop.seen


async def test_a_refusal_for_being_too_fast_is_not_kept_for_the_key(loop):
    same, limiter = keyed(), OneEach(0)
    async with client(loop, limiter) as c:
        assert (await c.post("/v1/stalls", json={"name": "Tea"}, headers=same)).status_code == 429
        limiter.left = 1
        assert (await c.post("/v1/stalls", json={"name": "Tea"}, headers=same)).status_code == 201


@pytest.mark.parametrize(
    "method, path, token, status",
    [
        ("POST", "/v1/stalls", "ann", 400),  # without a key
        ("POST", f"/v1/stalls/{UUID(int=5)}/close", "ann", 403),
        ("GET", f"/v1/stalls/{UUID(int=5)}", "ann", 404),
        ("GET", f"/v1/stalls/{UUID(int=5)}", None, 401),
        ("GET", f"/v1/stalls/{UUID(int=5)}", "forged", 401),
    ],
)
async def test_every_answer_that_was_counted_says_so_problems_too(loop, method, path, token, status):
    async with client(loop, OneEach(9), token) as c:
        answer = await c.request(method, path)
    assert (answer.status_code, answer.headers.get("ratelimit")) == (status, '"x";r=0;t=9')


async def test_a_bad_token_is_counted_by_address(loop):
    limiter = OneEach(9)
    async with client(loop, limiter, "forged") as c:
        await c.post("/v1/stalls", json={})
    assert limiter.seen == [("placing", ANONYMOUS)]


async def test_services_are_told_of_no_limit(loop):
    async with client(loop, OneEach(0), "checkout") as c:
        answer = await c.post("/v1/stalls", json={"name": "Tea"}, headers=keyed())
    assert answer.status_code == 201
    assert "ratelimit" not in answer.headers


def limits_of(path: str) -> str:
    return next(limit_of(row).name for row in REAL_ROUTES if row.path == path)


def test_the_class_of_a_route_follows_from_its_scope():
    assert limits_of("/v1/orders") == PLACING.name
    assert limits_of("/v1/orders/{id}/cancel") == COMMANDS.name
    assert limits_of("/v1/sessions") == limits_of("/v1/users") == ENTRY.name
    assert limits_of("/v1/quotes") == READS.name
    assert {limit_of(row).name for row in REAL_RESOURCES} == {READS.name}


def test_who_is_who():
    assert COMMANDS.of(ANONYMOUS) == COMMANDS.of(ANN) == 300
    assert COMMANDS.of(Actor(ANN.id, frozenset({Role.CUSTOMER, Role.STAFF}))) == 1500
    assert COMMANDS.of(Actor(ANN.id, frozenset({Role.STAFF, Role.OPERATOR}))) == 3000
    assert COMMANDS.of(Actor(ANN.id, frozenset({Role.ADMIN}))) == 3000
    assert COMMANDS.of(service("checkout")) is None


def test_whoever_opens_a_scope_to_anybody_says_how_often_it_may_be_asked_for():
    sent = {route.scope for route in REAL_ROUTES}
    assert {scope for scope in SCOPES if open_to_anybody(scope) and scope in sent} <= BY_SCOPE.keys() <= SCOPES.keys()
