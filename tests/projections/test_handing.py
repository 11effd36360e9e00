"""Rows that a worker of the same process has from the moment they are added: never more than it has room for, never two
workers at one row, and nothing lost wherever it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from domain.orders.events import OrderPlaced
from projections import todo
from projections.alarm import Alarm
from projections.asking import Rule, TodoSink
from projections.checkpoint import Checkpoints, Fenced
from projections.consumer import Consumer
from projections.doing import Done, Kind, Outcome, Status, Worker
from projections.handing import Promise, fitting
from projections.pool import Connection, Pool, connected
from projections.todo import CHANNEL, Asked, Room, Work
from tests.domain.orders.samples import placed
from tests.eventually import until
from tests.projections.fakes import AT, FakeFeed
from tests.projections.stories import order_id, told
from tests.projections.test_consumer import caught_up
from tests.projections.test_todo import QUICK, Outside, asked, closed, row

RULES = [Rule(OrderPlaced, "call")]


@asynccontextmanager
async def working(pool: Pool, database: str, *kinds: Kind, **options: Any) -> AsyncIterator[Worker]:
    """A worker that hears of nothing unless there is a `channel`: what it does was handed to it."""
    worker = Worker(pool, Alarm(database, options.pop("channel", "nobody_rings")), kinds, **options)
    task = asyncio.create_task(worker.run())
    try:
        await until(lambda: worker.health.status is Status.RUNNING)
        yield worker
    finally:
        task.cancel()
        await asyncio.wait([task])


async def hand(pool: Pool, worker: Worker, rows: Sequence[Asked], *, commit: bool = True) -> None:
    """As a sink does."""
    promise = worker.promise(rows)
    async with connected(pool) as connection:
        if promise is None:
            await todo.add(connection, rows)
            return
        added = await todo.add(connection, rows, promise.by, promise.works.keys())
        assert added is not None
        if not commit:
            await connection.rollback()
    await worker.take(promise, await todo.leased(added) if commit else set())


async def promised(worker: Worker, row: Asked) -> Promise:
    """As soon as the worker is not looking for itself."""
    while (promise := worker.promise([row])) is None:
        await asyncio.sleep(0.005)
    return promise


def events(*orders: UUID) -> FakeFeed:
    return FakeFeed("orders", [event for id in orders for event in told((placed,), id)])


async def test_what_an_event_asks_for_is_begun_when_it_is_committed(pool: Pool, database: str) -> None:
    feed, outside = events(order_id(1)), Outside()
    async with working(pool, database, Kind("call", QUICK, outside)) as worker:
        sink = TodoSink("orders", RULES, worker)
        await caught_up(Consumer(sink, feed, pool, ended=sink.ended))
        found = await closed(pool, feed.log[0].event_id)
    (work,) = outside.done
    assert (work.id, work.subject, work.attempt, work.tried_for) == (feed.log[0].event_id, order_id(1), 1, 0)
    assert (work.causation_id, work.correlation_id) == (feed.log[0].event_id, "test")
    assert (found["attempt"], found["worker"], found["lease"]) == (1, None, None)


async def test_nothing_of_a_fenced_batch_is_begun_and_its_room_is_free_again(pool: Pool, database: str) -> None:
    feed, outside = events(order_id(1)), Outside()
    async with working(pool, database, Kind("call", QUICK, outside), at_once=1) as worker:
        sink = TodoSink("orders", RULES, worker)
        fenced = Consumer(sink, feed, pool, ended=sink.ended)
        checkpoint = await fenced.open()
        other = TodoSink("orders", [])
        await caught_up(Consumer(other, feed, pool))
        with pytest.raises(Fenced):
            await fenced.step(checkpoint)
        assert (outside.done, worker.health.under_way) == ([], 0)
        wanted = asked()
        await hand(pool, worker, [wanted])
        await closed(pool, wanted.id)


async def test_nothing_is_begun_of_a_transaction_that_was_not_committed(pool: Pool, database: str) -> None:
    outside, wanted = Outside(), asked()
    async with working(pool, database, Kind("call", QUICK, outside), at_once=1) as worker:
        await hand(pool, worker, [wanted], commit=False)
        assert worker.health.under_way == 0
        await hand(pool, worker, [wanted])
        await closed(pool, wanted.id)
    assert len(outside.done) == 1


async def test_a_row_that_exists_is_not_begun_by_who_adds_it_again(pool: Pool, database: str) -> None:
    outside, wanted = Outside(), asked()
    async with pool.connection() as connection:
        await todo.add(connection, [wanted])
        (theirs,) = await todo.lease(connection, [Room(["call"], 1)], 1, 60, "another")
    async with working(pool, database, Kind("call", QUICK, outside)) as worker:
        await hand(pool, worker, [wanted])
        await asyncio.sleep(0.05)
    assert outside.done == []
    assert (await row(pool, wanted.id))["lease"] == str(theirs.lease)


async def test_what_died_between_commit_and_begin_is_taken_by_another(pool: Pool, database: str) -> None:
    outside, wanted = Outside(), asked()
    async with working(pool, database, Kind("call", QUICK, outside), lease=0.3) as worker:
        promise = await promised(worker, wanted)
        async with connected(pool) as connection:
            await todo.add(connection, [wanted], promise.by, promise.works.keys())
        # This one never begins it.
        other = Outside()
        async with working(pool, database, Kind("call", QUICK, other)):
            await closed(pool, wanted.id)
    assert (outside.done, [work.attempt for work in other.done]) == ([], [2])


async def test_what_comes_to_a_worker_that_has_ended_is_given_back(pool: Pool, database: str) -> None:
    outside, wanted = Outside(), asked()
    async with working(pool, database, Kind("call", QUICK, outside)) as worker:
        promise = await promised(worker, wanted)
        async with connected(pool) as connection:
            added = await todo.add(connection, [wanted], promise.by, promise.works.keys())
    assert added is not None
    await worker.take(promise, await todo.leased(added))
    found = await row(pool, wanted.id)
    assert (found["status"], found["lease"], found["attempt"]) == ("OPEN", None, 0)
    assert worker.promise([asked()]) is None


async def test_no_more_is_handed_over_than_there_is_room_for(pool: Pool, database: str) -> None:
    """Of all, and of a kind that has a bound; what is left waits until there is, and others may take it."""
    going, now, most = asyncio.Event(), {"call": 0, "gateway": 0}, {"call": 0, "gateway": 0}

    async def waits(work: Work) -> Outcome:
        now[work.kind] += 1
        most[work.kind] = max(most[work.kind], now[work.kind])
        await going.wait()
        now[work.kind] -= 1
        return Done()

    outside = Outside(waits)
    kinds = [Kind("call", QUICK, outside), Kind("gateway", QUICK, outside, at_once=2)]
    rows = [asked(kind=kind) for kind in ("gateway", "call") for _ in range(9)]
    async with working(pool, database, *kinds, at_once=5, channel=CHANNEL) as worker:
        for each in rows:
            await hand(pool, worker, [each])
        await hand(pool, worker, [asked(kind="unknown")])
        await until(lambda: len(outside.done) == 5)
        assert worker.promise([asked()]) is None, "it is full"
        going.set()
        await until(lambda: len(outside.log) == len(rows))
    assert (most["gateway"], most["gateway"] + most["call"] <= 2 + 5) == (2, True)
    assert sorted(work.id for work in outside.done) == sorted(each.id for each in rows)


def test_what_is_due_later_or_of_a_kind_without_room_does_not_fit() -> None:
    call, full, unknown = asked(), asked(kind="full"), asked(kind="unknown")
    later = asked(due_at=AT)
    rooms = [Room(["call", "mail"], 2), Room(["gateway"], 1)]
    assert fitting([later, full, unknown, call], rooms, 9) == [call]
    rows = [asked(), asked(kind="mail"), asked(), asked(kind="gateway"), asked(kind="gateway")]
    assert fitting(rows, rooms, 9) == [rows[0], rows[1], rows[3]]
    assert fitting(rows, rooms, 2) == rows[:2]


async def test_while_rows_wait_for_room_none_goes_before_them(pool: Pool, database: str) -> None:
    going = asyncio.Event()

    async def waits(work: Work) -> Outcome:
        await going.wait()
        return Done()

    outside, first = Outside(waits), [asked(), asked()]
    async with pool.connection() as connection:
        await todo.add(connection, first)
    async with working(pool, database, Kind("call", QUICK, outside), at_once=1) as worker:
        await until(lambda: len(outside.done) == 1)
        going.set()
        while len(outside.log) < 2:
            assert worker.promise([asked()]) is None, "the room that is free now is the second one's"
            await asyncio.sleep(0)


async def test_a_kind_without_room_keeps_no_other_from_being_handed_over(pool: Pool, database: str) -> None:
    going = asyncio.Event()

    async def waits(work: Work) -> Outcome:
        await going.wait()
        return Done()

    gateway, calls = Outside(waits), Outside()
    kinds = [Kind("gateway", QUICK, gateway, at_once=1), Kind("call", QUICK, calls)]
    rows = [asked(kind="gateway") for _ in range(3)]
    async with pool.connection() as connection:
        await todo.add(connection, rows)
    async with working(pool, database, *kinds) as worker:
        await until(lambda: len(gateway.done) == 1)
        promise = await promised(worker, wanted := asked())
        assert worker.promise([asked(kind="gateway")]) is None, "two of them wait"
        async with connected(pool) as connection:
            added = await todo.add(connection, [wanted], promise.by, promise.works.keys())
        assert added is not None
        await worker.take(promise, await todo.leased(added))
        await closed(pool, wanted.id)
        assert len(gateway.done) == 1
        going.set()
        await until(lambda: len(gateway.log) == 3)


async def test_a_commit_that_hands_over_waits_for_the_disk(pool: Pool, database: str) -> None:
    """A lease that the server forgets would let two be at one row."""
    async with working(pool, database, Kind("call", QUICK, Outside())) as worker:
        promise = await promised(worker, wanted := asked())
        async with connected(pool) as connection:
            await connection.execute("SELECT set_config('synchronous_commit', 'off', true)")
            await todo.add(connection, [asked()])
            assert await shown(connection) == "off"
            added = await todo.add(connection, [wanted], promise.by, promise.works.keys())
            assert await shown(connection) == await shown(connection, "reset_val")
        assert added is not None
        await worker.take(promise, await todo.leased(added))


async def shown(connection: Connection, column: str = "setting") -> Any:
    query = f"SELECT {column} FROM pg_settings WHERE name = 'synchronous_commit'"
    found = await (await connection.execute(query.encode())).fetchone()
    assert found is not None
    return found[0]


async def test_a_part_of_a_batch_that_the_database_refuses_is_parked_and_the_rest_begun(
    pool: Pool, database: str
) -> None:
    feed, outside = events(order_id(1), order_id(2)), Outside()
    bad = feed.log[0].event.originator_id
    rules = [Rule(OrderPlaced, "call", data=lambda event: {"said": "\x00" if event.originator_id == bad else ""})]
    async with working(pool, database, Kind("call", QUICK, outside)) as worker:
        sink = TodoSink("orders", rules, worker)
        await caught_up(Consumer(sink, feed, pool, ended=sink.ended))
        await closed(pool, feed.log[1].event_id)
        async with pool.connection() as connection:
            parked = await connection.execute("SELECT FROM projections.parked WHERE sequence = %s", [bad])
            assert parked.rowcount == 1
            standing = await Checkpoints("todo", "orders").open(connection, feed.incarnation)
        assert (standing.floor, worker.health.under_way) == (2, 0)
    assert [work.id for work in outside.done] == [feed.log[1].event_id]
