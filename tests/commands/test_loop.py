"""The write loop on a real log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from bench.counter import HANDLERS, Counter, CountUp, Move
from bench.server import counter_loop
from commands.loop import Limits, WriteLoop
from commands.reply import Envelope, Key, KeyReused, Overloaded
from commands.run import WrongVersion
from domain.actor import ANONYMOUS, service
from domain.errors import StaleVersion


def count(target: UUID, amount: int = 1, key: Key | None = None, **more: Any) -> Envelope:
    return Envelope(CountUp(amount=amount).bind(by=service("test"), target=target), "corr", key=key, **more)


def move(target: UUID, *sources: UUID) -> Envelope:
    return Envelope(Move(sources=sources).bind(by=ANONYMOUS, target=target), "corr")


def key(digest: bytes = b"same", id: UUID | None = None) -> Key:
    return Key(id or uuid4(), digest, datetime.now(UTC) + timedelta(days=7))


async def total(loop: WriteLoop, id: UUID) -> int:
    state = (await loop.states([id])).get(id, Counter)
    return state.total if state else 0


async def test_a_command_is_answered_with_version_and_position(database: str):
    async with counter_loop(database) as loop:
        id = uuid4()
        first, second = await loop.submit(count(id)), await loop.submit(count(id))
        assert (first.result().version, second.result().version) == (1, 2)
        assert [position for _, position in (*first.positions, *second.positions)] == [1, 2]


async def test_every_event_says_who_and_in_what_course(database: str):
    async with counter_loop(database) as loop:
        await loop.submit(count(uuid4(), causation_id=(cause := uuid4()), traceparent="00-a-b-01"))
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT actor, correlation_id, causation_id, traceparent, recorded_at <= now() FROM counters.stored_events"
        ).fetchone()
    assert row == ("service:test", "corr", cause, "00-a-b-01", True)


async def test_commands_on_one_aggregate_are_all_counted_in_order(database: str):
    async with counter_loop(database) as loop:
        id = uuid4()
        replies = await asyncio.gather(*(loop.submit(count(id)) for _ in range(200)))
        assert [reply.result().version for reply in replies] == list(range(1, 201))
        assert await total(loop, id) == 200


async def test_a_refusal_is_a_reply_and_writes_nothing(database: str):
    async with counter_loop(database) as loop:
        reply = await loop.submit(count(uuid4(), -1))
        assert reply.refusal is not None
        assert reply.refusal.code == "COUNTER_BELOW_ZERO"
        assert reply.positions == ()


async def test_a_command_of_several_aggregates_is_written_whole_or_not_at_all(database: str):
    async with counter_loop(database) as loop:
        rich, poor, target = uuid4(), uuid4(), uuid4()
        await loop.submit(count(rich, 5))
        refused = await loop.submit(move(target, rich, poor))
        assert refused.refusal is not None
        assert [await total(loop, id) for id in (rich, poor, target)] == [5, 0, 0]


async def test_two_loops_never_take_the_same_unit_twice(database: str):
    async with counter_loop(database) as one, counter_loop(database) as other:
        stock, targets = uuid4(), [uuid4() for _ in range(60)]
        await one.submit(count(stock, 25))
        replies = await asyncio.gather(*((one, other)[n % 2].submit(move(t, stock)) for n, t in enumerate(targets)))
        assert sum(reply.refusal is None for reply in replies) == 25
        assert await total(one, stock) == 0
        assert sum([await total(other, t) for t in targets]) == 25


async def test_the_same_key_gets_the_first_reply_and_counts_once(database: str):
    async with counter_loop(database) as one, counter_loop(database) as other:
        id, same = uuid4(), key()
        replies = await asyncio.gather(*(loop.submit(count(id, key=same)) for loop in (one, other) * 10))
        assert {(reply.result(), reply.positions) for reply in replies} == {(replies[0].result(), replies[0].positions)}
        assert sum(not reply.replayed for reply in replies) <= 1
        assert await total(one, id) == 1


async def test_a_refusal_is_kept_with_its_key_even_when_it_would_succeed_now(database: str):
    async with counter_loop(database) as one, counter_loop(database) as other:
        id, same = uuid4(), key()
        refused = await one.submit(count(id, -1, key=same))
        await one.submit(count(id, 5))
        again = await other.submit(count(id, -1, key=same))
        assert again.replayed
        assert again.refusal is not None
        assert refused.refusal is not None
        assert (again.refusal.code, again.refusal.facts) == (refused.refusal.code, refused.refusal.facts)
        assert await total(one, id) == 5


async def test_a_key_with_another_body_is_refused_and_changes_nothing(database: str):
    async with counter_loop(database) as one, counter_loop(database) as other:
        id, first = uuid4(), key()
        await one.submit(count(id, key=first))
        for loop in (one, other):
            reply = await loop.submit(count(id, 7, key=key(b"other", first.id)))
            assert isinstance(reply.refusal, KeyReused)
        assert await total(one, id) == 1


async def test_a_stale_expected_version_is_refused_and_not_kept(database: str):
    async with counter_loop(database) as loop:
        id, same = uuid4(), key()
        await loop.submit(count(id))
        stale = await loop.submit(count(id, key=same, expected_version=7))
        assert isinstance(stale.refusal, StaleVersion)
        assert (await loop.submit(count(id, key=same, expected_version=1))).result().version == 2


async def test_a_handler_that_raises_fails_its_own_command_only(database: str, monkeypatch: pytest.MonkeyPatch):
    async with counter_loop(database) as loop:
        bad, good = uuid4(), uuid4()
        decide = HANDLERS[CountUp].decide

        def faulty(command: Any, *args: Any) -> Any:
            if command.target == bad:
                raise ZeroDivisionError
            return decide(command, *args)

        monkeypatch.setattr(HANDLERS[CountUp], "decide", faulty)
        failed, fine = await asyncio.gather(loop.submit(count(bad)), loop.submit(count(good)), return_exceptions=True)
        assert isinstance(failed, ZeroDivisionError)
        assert not isinstance(fine, BaseException)
        assert fine.result().version == 1


async def test_an_event_out_of_order_is_a_fault_of_the_handler(database: str, monkeypatch: pytest.MonkeyPatch):
    async with counter_loop(database) as loop:
        decide = HANDLERS[CountUp].decide
        twice = lambda *args: [decide(*args), decide(*args)]  # noqa: E731
        monkeypatch.setattr(HANDLERS[CountUp], "decide", twice)
        with pytest.raises(WrongVersion):
            await loop.submit(count(uuid4()))


async def test_data_the_database_refuses_fails_its_own_command_only(database: str):
    async with counter_loop(database) as loop:
        good, bad = [uuid4() for _ in range(10)], uuid4()
        broken = Envelope(CountUp().bind(by=ANONYMOUS, target=bad), correlation_id="nul \x00 in text")
        replies = await asyncio.gather(
            *(loop.submit(count(id)) for id in good), loop.submit(broken), return_exceptions=True
        )
        assert [isinstance(reply, BaseException) for reply in replies] == [False] * 10 + [True]
        assert sum([await total(loop, id) for id in (*good, bad)]) == 10


async def test_a_full_queue_is_refused_at_once(database: str):
    async with limited_loop(database, Limits(queue=5)) as loop:
        replies = await asyncio.gather(*(loop.submit(count(uuid4())) for _ in range(20)), return_exceptions=True)
        assert sum(isinstance(reply, Overloaded) for reply in replies) == 15


async def test_a_cut_connection_is_healed_and_every_caller_learns_the_truth(database: str):
    async with counter_loop(database) as loop:
        ids = [uuid4() for _ in range(8)]
        done = 0

        async def caller(id: UUID) -> int:
            nonlocal done
            for _ in range(60):
                (await loop.submit(count(id))).result()
                done += 1
            return done

        async def cutter() -> None:
            with psycopg.connect(database, autocommit=True) as connection:
                while done < 8 * 60:
                    connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE query LIKE '%counters.append%' AND pid <> pg_backend_pid()"
                    )
                    await asyncio.sleep(0.005)

        await asyncio.gather(*map(caller, ids), cutter())
        assert [await total(loop, id) for id in ids] == [60] * 8


async def test_a_caller_that_gave_up_leaves_nothing_behind(database: str):
    async with counter_loop(database) as loop:
        id = uuid4()
        given_up = [asyncio.create_task(loop.submit(count(id, key=key()))) for _ in range(20)]
        await asyncio.sleep(0)
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        assert (await loop.submit(count(id))).result().version >= 1
        assert loop.waiting == 0


@asynccontextmanager
async def limited_loop(database: str, limits: Limits) -> AsyncIterator[WriteLoop]:
    async with counter_loop(database) as loop:
        loop._limits = limits
        yield loop
