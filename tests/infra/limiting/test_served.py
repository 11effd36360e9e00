"""The real app: limits of the settings, on both APIs, by the address that the settings believe."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from domain.actor import Actor, Role, service
from domain.ids import new_id
from infra.bootstrap import System, running
from infra.settings import Settings, SettingsRefused
from tests.infra.telemetry.reading import value

SIGN_IN = {"email": "ann@example.com", "password": "no idea at all"}


@asynccontextmanager
async def served(database: str, **settings: Any) -> AsyncIterator[tuple[System, httpx.AsyncClient]]:
    async with running(Settings.read(database_url=database, **settings)) as system:
        transport = httpx.ASGITransport(system.app, client=("10.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://chobo") as http:
            yield system, http


def signed_in(system: System, actor: Actor) -> dict[str, str]:
    return {"authorization": f"Bearer {system.tokens.access(actor)[0]}"}


async def test_two_processes_share_what_an_address_may_try_and_a_proxy_tells_addresses_apart(database):
    settings = {"rate_limits": 0.25, "trusted_proxies": "10.0.0.0/8"}
    async with served(database, **settings) as (_, one), served(database, **settings) as (_, other):
        mallory, ann = {"x-forwarded-for": "9.9.9.9, 203.0.113.7"}, {"x-forwarded-for": "203.0.113.8"}
        answers = [await (one, other)[n % 2].post("/v1/sessions", json=SIGN_IN, headers=mallory) for n in range(30)]
        assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"entry";q=5;w=60'}
        assert 5 <= sum(answer.status_code != 429 for answer in answers) <= 5 + 2
        answer = answers[-1]
        assert answer.json()["code"] == "RATE_LIMITED"
        assert 1 <= int(answer.headers["retry-after"]) <= 24
        assert (await one.post("/v1/sessions", json=SIGN_IN, headers=ann)).status_code == 401
        metrics = (await one.get("/metrics")).text + (await other.get("/metrics")).text
    assert "chobo_rate_limited_requests_total" in metrics


async def test_graphql_has_a_class_of_its_own_and_services_none(database):
    async with served(database, rate_limits=0.005) as (system, http):
        ann = signed_in(system, Actor(new_id(), frozenset({Role.CUSTOMER})))
        asked = [await http.post("/graphql", json={"query": "{ __typename }"}, headers=ann) for _ in range(4)]
        assert [answer.status_code for answer in asked] == [200, 200, 200, 429]
        assert asked[0].headers["ratelimit-policy"] == '"graphql";q=3;w=60'
        assert asked[3].json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        text = (await http.get("/metrics")).text
        assert value(text, "chobo_rate_limited_requests_total", limit="graphql") == 1
        order = await http.get(f"/v1/orders/{new_id()}", headers=ann)
        assert (order.status_code, order.headers["ratelimit"].split(";")[0]) == (404, '"reads"')
        checkout = signed_in(system, service("checkout"))
        for _ in range(10):
            answer = await http.post("/graphql", json={"query": "{ __typename }"}, headers=checkout)
            assert answer.status_code == 200
            assert "ratelimit" not in answer.headers


async def test_nought_switches_them_off(database):
    async with served(database, rate_limits=0) as (_, http):
        for _ in range(25):
            answer = await http.post("/v1/sessions", json=SIGN_IN)
            assert (answer.status_code, "ratelimit" in answer.headers) == (401, False)


def test_a_proxy_that_is_no_address_is_refused():
    with pytest.raises(
        SettingsRefused, match=r"CHOBO_TRUSTED_PROXIES=10\.0\.0\.0/33 is refused: .*does not appear to be"
    ):
        Settings.read({"CHOBO_PROFILE": "development", "CHOBO_TRUSTED_PROXIES": "10.0.0.0/33"})
