"""A log moves to another database under its writers: nothing is lost or repeated, and nobody writes to both."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from bench.callers import count_up
from bench.counter import COUNTERS
from bench.counter import Counter as Counted
from bench.server import counter_loop
from commands.log import Unavailable
from commands.loop import WriteLoop
from infra.embedded import EmbeddedPostgres
from infra.event_log.migrations import migrate
from infra.keys import PersonalKeys, migrate_keys
from infra.transfer import move
from infra.transfer.move import Move, MoveFailed, MoveRefused
from projections.orders.projector import ORDERS
from projections.pool import Pool
from tests.conftest import fresh_database
from tests.domain.orders.samples import confirmed, placed
from tests.full import size
from tests.infra.stored import a_log, append, execute
from tests.infra.verify.standing import Standing, standing
from tests.projections.stories import told

EVERYTHING = (
    "SELECT * FROM {}.stored_events ORDER BY notification_id",
    "SELECT * FROM {}.replies ORDER BY key",
    "SELECT * FROM {}.incarnation ORDER BY number",
    "SELECT * FROM {}.relay",
    "SELECT * FROM {}.snapshots ORDER BY 1, 2",
)


@pytest.fixture
def other(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A second database."""
    with fresh_database(postgres) as database:
        yield database


def quiet(done: int, all: int) -> None:
    pass


@contextmanager
def moving(source: str, target: str, context: str, tell: Any = None) -> Iterator[Move]:
    with psycopg.connect(source, autocommit=True) as here, psycopg.connect(target, autocommit=True) as there:
        yield Move(here, there, context, tell or quiet)


def moved(source: str, target: str, context: str, tell: Any = None) -> move.Moved:
    with moving(source, target, context, tell) as one:
        return one.run()


def contents(database: str, context: str) -> list[Any]:
    return [execute(database, query.format(context)) for query in EVERYTHING]


async def ready(database: str, context: str) -> None:
    await migrate(database, [context])


@pytest.mark.full("log")
async def test_with_writers_at_work_nothing_is_lost_and_the_old_log_is_closed(
    database: str, other: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(move, "ROUND", 500)
    monkeypatch.setattr(move, "NEAR", 50)
    ids = [uuid4() for _ in range(6)]
    acknowledged: Counter[UUID] = Counter()

    async def caller(loop: WriteLoop, id: UUID) -> None:
        while True:
            acknowledged[id] = (await loop.submit(count_up(id, keyed=True))).result().version

    async with counter_loop(database) as loop:
        for _ in range(size(2, 50)):
            await asyncio.gather(*(loop.submit(count_up(id, keyed=True)) for id in ids * 100))
        await ready(other, COUNTERS.name)
        callers = [asyncio.create_task(caller(loop, id)) for id in ids]
        done = await asyncio.to_thread(moved, database, other, COUNTERS.name)
        ended = await asyncio.gather(*callers, return_exceptions=True)
        assert all(isinstance(end, Unavailable) for end in ended)
        assert "set CHOBO_COUNTERS_DATABASE_URL" in str(ended[0])
        assert contents(other, COUNTERS.name) == contents(database, COUNTERS.name)
        with pytest.raises(Unavailable):
            await loop.submit(count_up(ids[0], keyed=False))

    assert done.header.head == sum(acknowledged.values())  # what was acknowledged is there, and nothing else
    async with counter_loop(other) as loop:
        states = await loop.states(ids)
        assert {id: states[id, Counted].total for id in ids} == acknowledged
        await loop.submit(count_up(ids[0], keyed=False))
        assert (await loop.states(ids))[ids[0], Counted].total == acknowledged[ids[0]] + 1


async def test_consumers_go_on_where_they_were(database: str, other: str):
    id = UUID(int=7)
    async with standing(database) as shop:
        await ready(other, "orders")
        moved(database, other, "orders")
        append(other, "orders", told((placed, confirmed), id))
        async with AsyncConnectionPool(other, min_size=1, max_size=4, open=False) as pool:
            there = Elsewhere(database, shop.pool, log=pool)
            checkpoint = await there.consumer(ORDERS, "orders").open()
            assert checkpoint.floor == execute(other, "SELECT max(notification_id) FROM orders.stored_events")[0][0] - 2
            await there.follow([ORDERS])
    assert execute(database, "SELECT version, status FROM orders_1.orders WHERE id = %s", id) == [(2, "CONFIRMED")]


class Elsewhere(Standing):
    """Read models here, the log there."""

    def __init__(self, database: str, pool: Pool, *, log: Pool) -> None:
        super().__init__(database, pool)
        self._log = log

    def reader(self, context: str) -> Any:
        return Standing(self.database, self._log).reader(context)


def move_and_be_killed(source: str, target: str, step: str) -> None:
    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    move.ROUND = 100  # type: ignore[misc]
    if step == "copying":
        moved(source, target, "orders", die)
    else:
        setattr(Move, step, die)
        moved(source, target, "orders")


@pytest.mark.parametrize("step", ["copying", "_finish", "_copy_replies"])
async def test_a_move_that_was_killed_is_started_again(database: str, other: str, step: str):
    await a_log(database)
    await ready(other, "orders")
    before = contents(database, "orders")
    process = multiprocessing.get_context("spawn").Process(target=move_and_be_killed, args=(database, other, step))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with pytest.raises(psycopg.Error, match="takes writes when that is done"):
        append(other, "orders", told((placed,), uuid4()))  # half a log takes none
    moved(database, other, "orders")
    assert contents(other, "orders") == before


async def test_a_move_that_was_killed_can_be_given_up(database: str, other: str):
    await a_log(database)
    await ready(other, "orders")
    process = multiprocessing.get_context("spawn").Process(target=move_and_be_killed, args=(database, other, "_finish"))
    process.start()
    process.join()
    with pytest.raises(psycopg.Error, match="set CHOBO_ORDERS_DATABASE_URL"):
        append(database, "orders", told((placed,), uuid4()))
    with moving(database, other, "orders") as one:
        one.abort()
    append(database, "orders", told((placed,), uuid4()))
    moved(database, other, "orders")  # and taken up again
    assert contents(other, "orders") == contents(database, "orders")


async def test_what_was_moved_is_neither_moved_nor_given_up_again(database: str, other: str):
    await a_log(database)
    await ready(other, "orders")
    moved(database, other, "orders")
    with moving(database, other, "orders") as one:
        with pytest.raises(MoveRefused, match="was moved before"):
            one.run()
        with pytest.raises(MoveRefused, match="takes writes"):
            one.abort()


async def test_a_copy_that_differs_is_found_and_writers_go_on(
    database: str, other: str, monkeypatch: pytest.MonkeyPatch
):
    await a_log(database)
    await ready(other, "orders")
    monkeypatch.setattr(move, "copy_in", spoiling)
    with pytest.raises(MoveFailed):
        moved(database, other, "orders")
    append(database, "orders", told((placed,), uuid4()))


def spoiling(connection: psycopg.Connection[Any], *arguments: Any) -> None:
    rows = arguments[-1]
    spoiled = [(*row[:4], b"{}", *row[5:]) for row in rows]
    connection.cursor().executemany(
        "INSERT INTO orders.stored_events (notification_id, originator_id, originator_version, topic, state, event_id,"
        " recorded_at, correlation_id, causation_id, actor, traceparent)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        spoiled,
    )


async def test_another_log_in_the_other_database_is_left_alone(database: str, other: str):
    await a_log(database)
    await a_log(other)
    with pytest.raises(MoveRefused, match="is not empty, and is another one"):
        moved(database, other, "orders")
    append(other, "orders", told((placed,), uuid4()))


async def test_a_log_is_not_moved_to_where_it_is(database: str):
    await a_log(database, events=[])
    with pytest.raises(MoveRefused, match="in that very database"):
        moved(database, database, "orders")
    append(database, "orders", told((placed,), uuid4()))


async def test_users_take_their_keys_along(database: str, other: str):
    gone, here = uuid4(), uuid4()
    for one in (database, other):
        await migrate(one, ["users"])
        async with await psycopg.AsyncConnection.connect(one) as connection:
            await migrate_keys(connection)
    async with AsyncConnectionPool(database, min_size=1, max_size=2, open=False) as pool:
        keys = PersonalKeys(pool, b"m" * 32)
        await keys.create(gone)
        await keys.create(here)
        await keys.destroy(gone)
        moved(database, other, "users")
        with pytest.raises(Unavailable, match="set CHOBO_USERS_DATABASE_URL"):
            await keys.create(uuid4())
        with pytest.raises(Unavailable):
            await keys.destroy(here)
        for whom in (here, uuid4()):  # or it would be read here after it was destroyed there
            with pytest.raises(Unavailable, match="set CHOBO_USERS_DATABASE_URL"):
                await PersonalKeys(pool, b"m" * 32).prefetch([whom])
    async with AsyncConnectionPool(other, min_size=1, max_size=2, open=False) as pool:
        keys = PersonalKeys(pool, b"m" * 32)
        await keys.prefetch([gone, here])
        assert keys.get(gone) is None
        assert keys.get(here)
        await keys.create(uuid4())


@pytest.mark.parametrize("what", ["abort", "run"])
async def test_nobody_else_moves_or_gives_up_what_is_being_moved(
    database: str, other: str, monkeypatch: pytest.MonkeyPatch, what: str
):
    await a_log(database)
    await ready(other, "orders")
    finish = Move._finish

    def while_it_finishes(one: Move) -> Any:
        done = finish(one)
        monkeypatch.setattr(Move, "_finish", finish)
        with moving(database, other, "orders") as another, pytest.raises(MoveRefused, match="is being moved"):
            getattr(another, what)()
        return done

    monkeypatch.setattr(Move, "_finish", while_it_finishes)
    moved(database, other, "orders")
    with pytest.raises(psycopg.Error, match="set CHOBO_ORDERS_DATABASE_URL"):
        append(database, "orders", told((placed,), uuid4()))


async def test_what_was_moved_has_no_second_copy_that_takes_writes(
    database: str, other: str, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
):
    """A copy of an earlier try, which was given up, is still there."""
    await a_log(database)
    with fresh_database(postgres) as third:
        await ready(third, "orders")
        with monkeypatch.context() as patch:
            patch.setattr(Move, "_finish", broken_off)
            with pytest.raises(MoveFailed):
                moved(database, third, "orders")
        await ready(other, "orders")
        moved(database, other, "orders")
        with moving(database, third, "orders") as one:
            with pytest.raises(MoveRefused, match="another database"):
                one.abort()
            with pytest.raises(MoveRefused, match="another database"):
                one.run()
        for closed in (database, third):
            with pytest.raises(psycopg.Error, match=r"takes writes when that is done|set CHOBO_ORDERS"):
                append(closed, "orders", told((placed,), uuid4()))


def broken_off(one: Move) -> Any:
    raise MoveFailed("by the test")
