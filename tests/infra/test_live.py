"""The real app in two parts: one writes and builds read models, the other shows them and what they once were."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from domain.actor import Actor, Role
from domain.ids import new_id
from infra.bootstrap import System, running
from infra.duties import EVERY, Duty
from infra.logs import JsonLines
from infra.settings import Settings
from projections.products.queries import STOCK
from tests.read_api.live.events import streamed
from tests.read_api.served import served

PRODUCT = "subscription ($ids: [ID!]!) { stockChanged(variantIds: $ids) { stock { version available } } }"
STAFF = Actor(new_id(), frozenset({Role.STAFF}))


@asynccontextmanager
async def serving(database: str, duties: Any) -> AsyncIterator[tuple[System, httpx.AsyncClient]]:
    async with running(Settings.read(database_url=database), duties) as system, served(system.app) as address:
        async with httpx.AsyncClient(base_url=address, timeout=20) as client:
            yield system, client
        system.stopping.set()


def signed_in(system: System) -> dict[str, str]:
    return {"authorization": f"Bearer {system.tokens.access(STAFF)[0]}"}


@pytest.fixture
async def shop(database: str) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient, dict[str, str]]]:
    """The one that writes, the one that shows, and what says who asks."""
    writing = {Duty.COMMANDS, Duty.PROJECTIONS}
    async with serving(database, writing) as (system, writes), serving(database, {Duty.READS}) as (_, reads):
        yield writes, reads, signed_in(system)


async def drafted(writes: httpx.AsyncClient, staff: dict[str, str], variant: str) -> dict[str, Any]:
    body = {
        "name": "Tea",
        "description": "Green.",
        "variants": [{"id": variant, "sku": "TEA-1", "values": {}, "price": {"amount": 100, "currency": "EUR"}}],
    }
    answer = await writes.post("/v1/products", json=body, headers=staff)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def receive(writes: httpx.AsyncClient, staff: dict[str, str], variant: str, quantity: int) -> None:
    headers = staff | {"idempotency-key": str(new_id())}
    answer = await writes.post(f"/v1/stock/{variant}/receive", json={"quantity": quantity}, headers=headers)
    assert answer.status_code == 200, answer.text


async def test_what_one_process_writes_another_tells_those_who_follow(shop: Any) -> None:
    writes, reads, staff = shop
    variant = str(new_id())
    made = await drafted(writes, staff, variant)
    headers = staff | {"consistency-token": made["consistencyToken"]}
    async with streamed(reads, PRODUCT, None, headers, ids=[variant]) as stream:
        assert (await stream.data())["stockChanged"]["stock"]["available"] == 0
        await receive(writes, staff, variant, 5)
        assert (await stream.data())["stockChanged"]["stock"]["available"] == 5


async def test_who_only_shows_reads_the_log_for_what_was(shop: Any) -> None:
    writes, reads, staff = shop
    made = await drafted(writes, staff, str(new_id()))
    activated = await writes.post(f"/v1/products/{made['id']}/activate", json={}, headers=staff)
    document = """query ($id: ID!) {
        now: product(id: $id) { status } then: product(id: $id, asOf: {version: 2}) { status }
        history(id: $id) { type } difference(id: $id, before: {version: 2}, after: {version: 3}) { path after }
    }"""
    headers = staff | {"consistency-token": activated.json()["consistencyToken"]}
    body = {"query": document, "variables": {"id": made["id"]}}
    data = (await reads.post("/graphql", json=body, headers=headers)).json()["data"]
    assert (data["now"]["status"], data["then"]["status"]) == ("ACTIVE", "DRAFT")
    assert [each["type"] for each in data["history"]][-1] == "products.product-activated"
    assert {"path": "status", "after": "ACTIVE"} in data["difference"]


async def test_streams_do_not_keep_a_process_from_stopping(database: str) -> None:
    async with serving(database, EVERY) as (system, client):
        staff = signed_in(system)
        document = "subscription { sagasChanged { saga { id } } }"
        async with streamed(client, document, None, staff) as stream:
            system.stopping.set()
            assert (await stream.next()).name == "complete"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged of the graph."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("read_api")
    log.addHandler(handler)
    yield written
    log.removeHandler(handler)


async def test_the_error_of_a_stream_is_found_in_the_log_by_its_trace(
    database: str, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over both ways; of a socket each operation has a trace of its own."""

    async def fails(*args: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(STOCK, "many", fails)
    ids, traces = [str(new_id())], []
    async with serving(database, EVERY) as (_, client):
        async with streamed(client, PRODUCT, None, ids=ids) as stream:
            (error,) = (await stream.next()).data["errors"]
            traces.append(error["extensions"]["traceId"])
        address = f"{str(client.base_url).replace('http', 'ws')}/graphql"
        async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
            await socket.send('{"type": "connection_init"}')
            await socket.recv()
            for id in ("1", "2"):
                payload = {"query": PRODUCT, "variables": {"ids": ids}}
                await socket.send(json.dumps({"type": "subscribe", "id": id, "payload": payload}))
                (error,) = json.loads(await socket.recv())["payload"]["errors"]
                assert json.loads(await socket.recv())["type"] == "complete"
                assert error["extensions"]["code"] == "INTERNAL_ERROR"
                traces.append(error["extensions"]["traceId"])
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [line["trace_id"] for line in logged if "the disk is full" in line["exception"]] == traces
    assert len(set(traces)) == 3
