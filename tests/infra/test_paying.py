"""The to-dos of payments in the real table: taken note of, done by a worker, looked at until they are settled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.payments.payment import ChargeStatus
from infra.event_log.store_feed import StoreFeed
from infra.event_log.wakeups import Wakeups
from infra.gateway.faults import Fault
from infra.paying import RULES, NotThere, NotTold
from infra.payment_looks import RULES as LOOK_RULES
from infra.payment_looks import LookAtGateway
from projections import asking
from projections.alarm import Alarm
from projections.asking import TodoSink
from projections.consumer import Consumer
from projections.doing import Done, Failed, Kind, Later, Worker
from projections.models import MODELS
from projections.retry import RetryPolicy
from projections.schema import prepare
from projections.todo import CHANNEL
from tests.commands.payments.desk import REDIRECT, Desk, eur, opened, work_of
from tests.eventually import until

QUICK = RetryPolicy(first=0.01, longest=0.05)


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    await prepare(database, MODELS)
    async with opened(database) as desk:
        yield desk


@asynccontextmanager
async def at_work(desk: Desk, database: str) -> AsyncIterator[None]:
    async with desk.pool.connection() as connection:
        await asking.begin(connection, "payments", *(await desk.reader.head()))
    feed = StoreFeed(desk.reader, Wakeups(database, desk.pool, ["payments"]))
    consumer = Consumer(TodoSink("payments", [*RULES, *LOOK_RULES]), feed, desk.pool)
    looking = LookAtGateway(desk.loop, desk.gateway, desk.clock)
    kinds = [Kind("gateway", QUICK, desk.act), Kind("gateway-look", QUICK, looking)]
    worker = Worker(desk.pool, Alarm(database, CHANNEL), kinds, dice=Random(1))
    tasks = [asyncio.create_task(consumer.run()), asyncio.create_task(worker.run())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def comes_to(desk: Desk, id: UUID, status: ChargeStatus) -> None:
    async def there() -> bool:
        return (await desk.payment(id)).status is status

    await until(there)


async def rows(desk: Desk, query: str) -> list[Any]:
    async with desk.pool.connection() as connection:
        return await (await connection.execute(query.encode())).fetchall()


async def test_a_payment_from_its_attempt_to_its_refund_whatever_goes_wrong(desk: Desk, database: str) -> None:
    for call in ("authorise", "capture", "refund"):
        desk.trouble.at(call, Fault.TIMEOUT_BEFORE, Fault.ERROR_AFTER, Fault.CUT)
    async with at_work(desk, database):
        id = await desk.begun()
        await comes_to(desk, id, ChargeStatus.AUTHORISED)
        await desk.ask(id, "capture")
        await comes_to(desk, id, ChargeStatus.CAPTURED)
        await desk.ask(id, "give-back", reason="CANCELLATION")
        await comes_to(desk, id, ChargeStatus.REFUNDED)

        async def all_closed() -> bool:
            return await rows(desk, "SELECT count(*) FROM projections.todo WHERE status = 'DONE'") == [(3,)]

        await until(all_closed)
    intent = await desk.seen(id)
    assert (intent.captured, [refund.amount for refund in intent.refunds]) == (eur(1000), [eur(1000)])
    kept = await rows(desk, "SELECT string_agg(data::text || coalesce(outcome::text, ''), '') FROM projections.todo")
    assert "pm_card" not in kept[0][0]  # ids and numbers only


async def test_where_the_customer_has_to_act_it_is_looked_at_though_no_webhook_comes(desk: Desk, database: str) -> None:
    async with at_work(desk, database):
        id = await desk.begun(REDIRECT)

        async def waits() -> bool:
            return bool(await rows(desk, "SELECT FROM projections.todo WHERE kind = 'gateway-look'"))

        await until(waits)
        desk.gateway.act((await desk.seen(id)).reference)
        (due,) = await rows(
            desk, "SELECT due_at - created_at FROM projections.todo WHERE kind = 'gateway-look' AND status = 'OPEN'"
        )
        assert timedelta(seconds=50) < due[0] < timedelta(seconds=70)
        await rows(desk, "UPDATE projections.todo SET due_at = now() WHERE kind = 'gateway-look' RETURNING 1")
        await rows(desk, "SELECT pg_notify('chobo_todo', '')")
        await comes_to(desk, id, ChargeStatus.AUTHORISED)


async def look_row(desk: Desk) -> Any:
    sink = TodoSink("payments", LOOK_RULES)
    asked = [row for recorded in (await desk.reader.read(0, 1000)).events for row in sink.asked(recorded)]
    return asked[-1]


async def test_looks_grow_rarer_and_end_when_a_webhook_came_first(desk: Desk) -> None:
    id = await desk.authorised("pm_bankTransfer")
    act, row = LookAtGateway(desk.loop, desk.gateway, desk.clock), await look_row(desk)
    pauses, data = [], row.data
    for _ in range(8):
        later = await act.do(work_of(row, data=data))
        assert isinstance(later, Later)
        pauses.append(later.seconds)
        data = later.data
    assert pauses == [120, 240, 480, 960, 1920, 3600, 3600, 3600]
    desk.trouble.at("get", Fault.TIMEOUT_BEFORE)
    with pytest.raises(NotTold):
        await act.do(work_of(row))
    desk.gateway.receive((await desk.seen(id)).reference)
    await desk.hear(desk.gateway.drain()[-1])
    assert await act.known(work_of(row)) == Done()


async def test_what_the_log_has_no_more_is_not_asked_for(desk: Desk) -> None:
    await desk.begun()
    (row,) = await desk.asked()
    lost = replace(row, subject=uuid4())  # as another process sees it, whose log was cut back
    with pytest.raises(NotThere):
        await desk.act.known(work_of(lost))
    assert isinstance(await desk.act.known(work_of(lost, tried_for=601)), Failed)
