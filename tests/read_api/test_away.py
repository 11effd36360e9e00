"""What clients are told while the read database cannot be reached, and that they are told soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx
import pytest
from psycopg_pool import AsyncConnectionPool
from pydantic import SecretStr

from domain.token import ConsistencyToken
from infra.databases import READS, Databases
from infra.embedded import EmbeddedPostgres
from infra.settings import Profile, Settings
from projections.models import MODELS
from projections.pool import Pool
from projections.schema import prepare
from projections.waiting import Watch
from read_api.app import Allowance, GraphQLApp
from read_api.cursor import Cursors
from read_api.request import GRAPHQL_JSON
from tests.eventually import until
from tests.read_api.conftest import SCHEMA, authenticate

ORDERS: Final = "{ orders(first: 1) { nodes { id } } }"
ALLOWANCE: Final = Allowance(waiting=0.1, connecting=0.1, executing=30)
"""Whoever waits for anything but a connection waits until the test has failed."""

COMPILED: Final = "{ me { id } orders(first: 1) { nodes { id } } }"
EXECUTED: Final = "{ orders(first: 1) { nodes { notifications { id } } } }"
A_NULL: Final = '{ order(id: "00000000-0000-7000-8000-000000000000") { notifications { id } } }'
IN_PART: Final = A_NULL.replace("{ order", "{ __typename order")


@asynccontextmanager
async def served(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    app = GraphQLApp(SCHEMA, pool, Watch(pool), authenticate, Cursors("s" * 32), allowance=ALLOWANCE)
    headers = {"authorization": "Bearer customer"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers) as client:
        yield client


async def ask(client: httpx.AsyncClient, query: str, **headers: str) -> httpx.Response:
    return await client.post("/graphql", json={"query": query}, headers=headers)


def assert_unavailable(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["UNAVAILABLE"]
    assert "data" not in answer.json()


@pytest.fixture
async def nowhere(unused_tcp_port: int) -> AsyncIterator[Pool]:
    """Where nobody listens."""
    pool: Pool = AsyncConnectionPool(f"host=127.0.0.1 port={unused_tcp_port} dbname=x", open=False, timeout=60)
    await pool.open(wait=False)
    yield pool
    await pool.close()


@pytest.fixture
async def exhausted(database: str) -> AsyncIterator[Pool]:
    """Whose only connection somebody else has."""
    await prepare(database, MODELS)
    pool: Pool = AsyncConnectionPool(database, min_size=1, max_size=1, open=False, timeout=60)
    async with pool, pool.connection():
        yield pool


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL_JSON])
@pytest.mark.parametrize("query", [COMPILED, EXECUTED, A_NULL])
@pytest.mark.parametrize("which", ["nowhere", "exhausted"])
async def test_without_a_connection_it_is_said_at_once(
    which: str, query: str, accept: str, nowhere: Pool, exhausted: Pool
) -> None:
    async with served({"nowhere": nowhere, "exhausted": exhausted}[which]) as client:
        async with asyncio.timeout(10):
            assert_unavailable(await ask(client, query, accept=accept))


async def test_however_much_was_asked_for(exhausted: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request has three connections at a time: what comes after those three would have waited as long again."""
    monkeypatch.setattr("tests.read_api.test_away.ALLOWANCE", Allowance(connecting=1, executing=3))
    lists = " ".join(f"a{number}: orders(first: 1) {{ nodes {{ notifications {{ id }} }} }}" for number in range(12))
    async with served(exhausted) as client:
        assert_unavailable(await ask(client, f"{{ {lists} }}"))


async def test_whoever_waits_for_a_token_waits_no_longer_than_they_may(exhausted: Pool) -> None:
    token = ConsistencyToken.of("orders", uuid4(), [(1, 1)])
    async with served(exhausted) as client, asyncio.timeout(10):
        assert_unavailable(await ask(client, ORDERS, **{"consistency-token": str(token)}))
        assert (await ask(client, "{ __typename }")).json()["data"] == {"__typename": "Query"}


async def test_what_could_be_read_is_shown(exhausted: Pool) -> None:
    """A part of an answer is an answer."""
    async with served(exhausted) as client, asyncio.timeout(10):
        answer = await ask(client, IN_PART)
    assert answer.status_code == 200
    assert answer.json()["data"] == {"__typename": "Query", "order": None}
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["UNAVAILABLE"]


async def test_it_goes_on_once_the_database_is_there_again(empty_data: Path) -> None:
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(EmbeddedPostgres(empty_data))
        conninfo = postgres.conninfo()
        await prepare(conninfo, MODELS)
        settings = Settings(profile=Profile.DEVELOPMENT, read_database_url=SecretStr(conninfo))
        databases = await stack.enter_async_context(Databases(settings, []))
        client = await stack.enter_async_context(served(databases.pool(READS)))
        assert (await ask(client, COMPILED)).status_code == 200
        postgres.stop()
        for query in (COMPILED, EXECUTED, A_NULL):
            assert_unavailable(await ask(client, query))
        postgres.start()

        async def works() -> bool:
            return (await ask(client, EXECUTED)).status_code == 200

        await until(works)


async def test_a_query_that_takes_too_long_was_begun(exhausted: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what was asked nor the request was wrong, and execution had begun: 200, with data that is null."""
    monkeypatch.setattr("tests.read_api.test_away.ALLOWANCE", Allowance(connecting=60, executing=0.05))
    for accept in ("application/json", GRAPHQL_JSON):
        async with served(exhausted) as client:
            answer = await ask(client, ORDERS, accept=accept)
        assert (answer.status_code, answer.json()["data"]) == (200, None)
        assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["QUERY_TIMED_OUT"]
