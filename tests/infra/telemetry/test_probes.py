"""What gauges are made of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from psycopg_pool import AsyncConnectionPool

from domain.ids import new_id
from infra.telemetry import Metrics
from infra.telemetry.following import consumers
from infra.telemetry.metrics import Probe
from infra.telemetry.probes import pools, queues, relays, todos
from projections.models import MODELS
from projections.pool import Pool
from projections.schema import prepare
from tests.infra.telemetry.reading import value


@pytest.fixture
async def reads(database: str) -> AsyncIterator[Pool]:
    await prepare(database, MODELS)
    async with AsyncConnectionPool(database, min_size=2, max_size=2, open=False) as pool:
        await pool.wait()
        yield pool


async def told(probe: Probe) -> str:
    metrics = Metrics()
    metrics.probe("it", probe)
    return (await metrics.text()).decode()


CONSUMER = """
INSERT INTO projections.checkpoints (consumer, context, incarnation, floor, head, status)
VALUES ('orders@1', 'orders', %(id)s, 7, 10, 'WAITING')
"""
LAG = """
INSERT INTO projections.lag (consumer, context, events, since, slices)
VALUES ('orders@1', 'orders', 3, clock_timestamp() - interval '1 minute', '{}')
"""
PARKED = """
INSERT INTO projections.parked (id, consumer, context, sequence, slice, position, version, event_id, event_type,
    recorded_at, reason, fingerprint, waiting)
VALUES (gen_random_uuid(), 'orders@1', 'orders', gen_random_uuid(), 1, 5, 1, gen_random_uuid(), 'orders.order-placed',
    now(), 'a bug', 'bug', %s)
"""
TODO = """
INSERT INTO projections.todo (id, kind, context, subject, due_at, last_error, correlation_id)
VALUES (gen_random_uuid(), 'mail', 'orders', gen_random_uuid(), now() - interval '1 minute', 'refused', 'c')
"""


async def test_a_consumer_that_is_behind_with_parts_parked(reads: Pool):
    async with reads.connection() as connection:
        await connection.execute(CONSUMER, {"id": new_id()})
        await connection.execute(LAG)
        for waiting in (2, 4):
            await connection.execute(PARKED, [waiting])
    text, who = await told(consumers(reads)), {"consumer": "orders@1", "context": "orders"}
    assert value(text, "chobo_consumer_status", status="WAITING", **who) == 1
    assert value(text, "chobo_consumer_behind_events", **who) == 3
    assert 60 <= value(text, "chobo_consumer_behind_seconds", **who) < 120
    assert value(text, "chobo_parked_sequences", **who) == 2
    assert value(text, "chobo_parked_waiting_events", **who) == 6


async def test_a_consumer_that_was_never_measured_is_told_by_its_checkpoint(reads: Pool):
    async with reads.connection() as connection:
        await connection.execute(CONSUMER, {"id": new_id()})
    text = await told(consumers(reads))
    assert value(text, "chobo_consumer_behind_events", consumer="orders@1") == 3
    assert value(text, "chobo_parked_sequences", consumer="orders@1") == 0


async def test_work_that_is_due_and_fails(reads: Pool):
    async with reads.connection() as connection:
        await connection.execute(TODO)
    text = await told(todos(reads))
    assert value(text, "chobo_todo_due", kind="mail") == 1
    assert value(text, "chobo_todo_failing", kind="mail") == 1
    assert value(text, "chobo_todo_oldest_seconds", kind="mail") >= 60


async def test_connections_in_use(reads: Pool):
    async with reads.connection():
        text = await told(pools({"read": reads}))
    assert value(text, "chobo_pool_connections", pool="read", state="used") == 1


@dataclass
class Fares:
    context: str
    role: str
    behind: int


@dataclass
class Relaying:
    health: Fares


async def test_who_leads_and_who_stands_by():
    text = await told(relays([Relaying(Fares("orders", "LEADER", 4)), Relaying(Fares("users", "STANDBY", 0))]))
    assert value(text, "chobo_relay_leader", context="orders") == 1
    assert value(text, "chobo_relay_leader", context="users") == 0
    assert value(text, "chobo_relay_behind_events", context="orders") == 4


@dataclass
class Queue:
    waiting: int


async def test_commands_that_wait():
    assert value(await told(queues({"orders": Queue(3)})), "chobo_write_queue_commands", context="orders") == 3
