"""The to-do table and its workers: always an outcome, always one, whoever dies in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from projections import todo
from projections.alarm import Alarm
from projections.doing import Done, Failed, Kind, Later, Outcome, Status, Worker
from projections.pool import Connection, Pool
from projections.retry import UNTIL_DONE, RetryPolicy
from projections.todo import CHANNEL, Asked, Ended, Room, Work
from tests.eventually import until

QUICK = RetryPolicy(first=0.01, longest=0.02)


class Outside:
    """An act on the world. `log` is what was recorded; `does` may be replaced."""

    def __init__(self, does: Callable[[Work], Awaitable[Outcome | Later]] | None = None) -> None:
        self.done: list[Work] = []
        self.log: dict[UUID, Outcome] = {}
        self.does = does

    async def known(self, work: Work) -> Outcome | None:
        return self.log.get(work.id)

    async def do(self, work: Work) -> Outcome | Later:
        self.done.append(work)
        return await self.does(work) if self.does else Done({"attempt": work.attempt})

    async def record(self, work: Work, outcome: Outcome) -> None:
        self.log.setdefault(work.id, outcome)


def asked(**values: Any) -> Asked:
    defaults: dict[str, Any] = {"id": uuid4(), "kind": "call", "context": "tests", "subject": uuid4()}
    return Asked(**defaults | values)


async def add(pool: Pool, *rows: Asked) -> None:
    async with pool.connection() as connection:
        await todo.add(connection, rows)


async def row(pool: Pool, id: UUID) -> dict[str, Any]:
    async with pool.connection() as connection:
        found = await (
            await connection.execute("SELECT to_jsonb(t) FROM projections.todo t WHERE id = %s", [id])
        ).fetchone()
    assert found is not None
    value: dict[str, Any] = found[0]
    return value


async def shift(pool: Pool, by: timedelta) -> None:
    """What is seen when the database's clock jumps back by so much (or forth, if it is negative)."""
    async with pool.connection() as connection:
        await connection.execute(
            "UPDATE projections.todo SET due_at = due_at + %s, leased_until = leased_until + %s", [by, by]
        )


@asynccontextmanager
async def at_work(pool: Pool, database: str, outside: Outside, **options: Any) -> AsyncIterator[Worker]:
    kinds = [Kind("call", options.pop("retry", QUICK), outside)]
    worker = Worker(pool, Alarm(database, CHANNEL), kinds, dice=Random(1), **options)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        await asyncio.wait([task])


async def closed(pool: Pool, id: UUID, status: str = "DONE") -> dict[str, Any]:
    async def is_closed() -> bool:
        return bool((await row(pool, id))["closed_at"])

    await until(is_closed)
    found = await row(pool, id)
    assert found["status"] == status
    return found


async def test_what_is_asked_for_is_done_recorded_and_closed(pool: Pool, database: str) -> None:
    outside, wanted = Outside(), asked(data={"order": 7}, correlation_id="c", traceparent="00-t")
    async with at_work(pool, database, outside):
        await add(pool, wanted)
        found = await closed(pool, wanted.id)
    (work,) = outside.done
    assert (work.id, work.subject, work.data, work.attempt) == (wanted.id, wanted.subject, {"order": 7}, 1)
    assert (work.correlation_id, work.traceparent) == ("c", "00-t")
    assert outside.log == {wanted.id: Done({"attempt": 1})}
    assert (found["outcome"], found["lease"], found["leased_until"]) == ({"attempt": 1}, None, None)


async def test_a_notification_wakes_the_worker_long_before_its_poll(pool: Pool, database: str) -> None:
    outside = Outside()
    async with at_work(pool, database, outside) as worker:
        await until(lambda: worker.health.status is Status.RUNNING)
        await asyncio.sleep(0.1)
        wanted = asked()
        await add(pool, wanted)
        await until(lambda: bool(outside.done), within=1)


async def test_the_same_event_asks_only_once(pool: Pool, database: str) -> None:
    outside, wanted = Outside(), asked()
    async with at_work(pool, database, outside):
        await add(pool, wanted, wanted)
        await closed(pool, wanted.id)
        await add(pool, wanted)
        await asyncio.sleep(0.1)
    assert len(outside.done) == 1


async def test_what_has_its_outcome_in_the_log_is_not_done_again(pool: Pool, database: str) -> None:
    outside, wanted = Outside(), asked()
    outside.log[wanted.id] = Failed("refused")
    async with at_work(pool, database, outside):
        await add(pool, wanted)
        found = await closed(pool, wanted.id, "FAILED")
    assert outside.done == []
    assert found["outcome"] == {"error": "refused", "gave_up": False}


async def test_what_fails_is_tried_again_with_the_same_id(pool: Pool, database: str) -> None:
    async def works_the_third_time(work: Work) -> Outcome:
        if work.attempt < 3:
            raise OSError(f"no route on attempt {work.attempt}")
        return Done()

    outside, wanted = Outside(works_the_third_time), asked()
    async with at_work(pool, database, outside):
        await add(pool, wanted)
        await closed(pool, wanted.id)
    assert [(work.id, work.attempt) for work in outside.done] == [(wanted.id, n) for n in (1, 2, 3)]
    assert [work.last_error for work in outside.done] == [
        None,
        "OSError: no route on attempt 1",
        "OSError: no route on attempt 2",
    ]


async def test_when_attempts_run_out_that_is_the_outcome(pool: Pool, database: str) -> None:
    async def fails(work: Work) -> Outcome:
        raise OSError("no route")

    outside, wanted = Outside(fails), asked()
    async with at_work(pool, database, outside, retry=RetryPolicy(first=0.01, attempts=3)):
        await add(pool, wanted)
        await closed(pool, wanted.id, "FAILED")
    assert len(outside.done) == 3
    assert outside.log[wanted.id] == Failed("given up after 3 attempts: OSError: no route", gave_up=True)


async def test_giving_up_is_tried_until_it_is_recorded(pool: Pool, database: str) -> None:
    class Away(Outside):
        times = 0

        async def record(self, work: Work, outcome: Outcome) -> None:
            self.times += 1
            if self.times < 3:
                raise OSError("the log is away")
            await super().record(work, outcome)

    async def fails(work: Work) -> Outcome:
        raise OSError("no route")

    outside, wanted = Away(fails), asked()
    async with at_work(pool, database, outside, retry=RetryPolicy(first=0.01, attempts=1)):
        await add(pool, wanted)
        await closed(pool, wanted.id, "FAILED")
    assert (len(outside.done), outside.times) == (1, 3)


async def test_work_may_go_on_later_with_other_data(pool: Pool, database: str) -> None:
    async def in_two_parts(work: Work) -> Outcome | Later:
        return Done() if work.data else Later(0.05, {"part": 2})

    outside, wanted = Outside(in_two_parts), asked()
    async with at_work(pool, database, outside):
        await add(pool, wanted)
        await closed(pool, wanted.id)
    assert [(work.data, work.attempt) for work in outside.done] == [({}, 1), ({"part": 2}, 1)]


async def test_what_is_due_later_is_done_on_time(pool: Pool, database: str) -> None:
    """Not at the next poll, which is seconds away."""
    times: list[datetime] = []

    async def look(work: Work) -> Outcome:
        times.append(datetime.now(UTC))
        return Done()

    due = datetime.now(UTC) + timedelta(seconds=0.5)
    async with at_work(pool, database, Outside(look)):
        await add(pool, asked(due_at=due))
        await until(lambda: bool(times))
    assert timedelta(0) <= times[0] - due < timedelta(seconds=0.4)


async def test_no_more_is_done_at_once_than_allowed(pool: Pool, database: str) -> None:
    now: set[UUID] = set()
    most = 0

    async def at_once(work: Work) -> Outcome:
        nonlocal most
        now.add(work.id)
        most = max(most, len(now))
        await asyncio.sleep(0.02)
        now.remove(work.id)
        return Done()

    outside = Outside(at_once)
    async with at_work(pool, database, outside, at_once=4):
        await add(pool, *(asked() for _ in range(20)))
        await until(lambda: len(outside.log) == 20)
    assert most == 4


async def test_a_kind_that_hangs_leaves_room_for_the_others(pool: Pool, database: str) -> None:
    hanging, going = asyncio.Event(), Outside()
    now: set[UUID] = set()

    async def hangs(work: Work) -> Outcome:
        now.add(work.id)
        await hanging.wait()
        return Done()

    gateway = Outside(hangs)
    kinds = [Kind("gateway", QUICK, gateway, at_once=2), Kind("call", QUICK, going)]
    worker = Worker(pool, Alarm(database, CHANNEL), kinds, at_once=4)
    task = asyncio.create_task(worker.run())
    try:
        await add(pool, *(asked(kind="gateway") for _ in range(9)))
        await until(lambda: len(now) == 2)
        await add(pool, *(asked() for _ in range(9)))
        await until(lambda: len(going.log) == 9)
        assert len(now) == 2
        hanging.set()
        await until(lambda: len(gateway.log) == 9)
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_lease_is_renewed_while_the_work_goes_on(pool: Pool, database: str) -> None:
    async def takes_long(work: Work) -> Outcome:
        await asyncio.sleep(1.2)
        return Done()

    outside, wanted = Outside(takes_long), asked()
    async with at_work(pool, database, outside, lease=0.4), at_work(pool, database, outside, lease=0.4):
        await add(pool, wanted)
        await closed(pool, wanted.id)
    assert len(outside.done) == 1


async def test_what_a_dead_worker_held_is_taken_by_another(pool: Pool, database: str) -> None:
    outside, wanted = Outside(), asked()
    await add(pool, wanted)
    async with pool.connection() as connection:
        (dead,) = await todo.lease(connection, [Room(["call"], 9)], 9, 0.3, "dead")
    async with at_work(pool, database, outside):
        await asyncio.sleep(0.1)
        assert outside.done == []
        await closed(pool, wanted.id)
    assert outside.done[0].attempt == 2
    async with pool.connection() as connection:
        assert not await todo.close(connection, [Ended(dead, well=True, outcome={})])
        assert not await todo.retry(connection, dead, 0, "")
        assert not await todo.postpone(connection, dead, 0, {})
        assert await todo.renew(connection, [dead], 30) == set()


async def test_a_worker_that_was_taken_over_is_broken_off(pool: Pool, database: str) -> None:
    ends: list[str] = []

    async def for_ever(work: Work) -> Outcome:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ends.append("broken off")
            raise
        return Done()

    outside, wanted = Outside(for_ever), asked()
    async with at_work(pool, database, outside, lease=0.3) as worker:
        await add(pool, wanted)
        await until(lambda: bool(outside.done))
        async with pool.connection() as connection:
            await connection.execute("UPDATE projections.todo SET lease = uuidv7(), leased_until = now() + '1 day'")
        await until(lambda: worker.health.under_way == 0)
    assert ends == ["broken off"]
    assert outside.log == {}


async def test_a_row_that_is_just_being_closed_is_not_taken_for_another_worker_s(
    pool: Pool, database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    is_closed, go, close = asyncio.Event(), asyncio.Event(), todo.close

    async def slowly(connection: Connection, ended: Iterable[Ended]) -> set[UUID]:
        ids = await close(connection, ended)
        await connection.commit()
        is_closed.set()
        await go.wait()
        return ids

    monkeypatch.setattr(todo, "close", slowly)
    wanted = asked()
    async with at_work(pool, database, Outside()) as worker:
        await add(pool, wanted)
        await is_closed.wait()
        await worker._renew(dict(worker._held))
        go.set()
        await until(lambda: worker.health.under_way == 0)
    assert not [record for record in caplog.records if "taken it over" in record.getMessage()]


async def test_nobody_works_longer_than_a_lease_that_cannot_be_renewed(pool: Pool, database: str) -> None:
    ends: list[float] = []

    async def for_ever(work: Work) -> Outcome:
        began = asyncio.get_running_loop().time()
        try:
            await asyncio.sleep(60)
        finally:
            ends.append(asyncio.get_running_loop().time() - began)
        return Done()

    outside = Outside(for_ever)
    async with at_work(pool, database, outside, lease=0.6) as worker:

        async def away(*_: object) -> None:
            raise OSError("the database is away")

        worker._renew = away  # type: ignore[assignment, method-assign]
        await add(pool, asked())
        await until(lambda: bool(ends))
    assert ends[0] < 0.6


async def test_a_worker_told_to_end_finishes_what_it_has_begun(pool: Pool, database: str) -> None:
    async def takes_a_while(work: Work) -> Outcome:
        await asyncio.sleep(0.2)
        return Done()

    outside, wanted = Outside(takes_a_while), asked()
    async with at_work(pool, database, outside):
        await add(pool, wanted)
        await until(lambda: bool(outside.done))
    assert (await row(pool, wanted.id))["status"] == "DONE"


async def test_what_cannot_be_finished_in_time_is_given_back(pool: Pool, database: str) -> None:
    async def for_ever(work: Work) -> Outcome:
        await asyncio.sleep(60)
        return Done()

    outside, wanted = Outside(for_ever), asked()
    async with at_work(pool, database, outside, grace=0.05):
        await add(pool, wanted)
        await until(lambda: bool(outside.done))
    found = await row(pool, wanted.id)
    assert (found["status"], found["attempt"], found["leased_until"]) == ("OPEN", 0, None)


async def test_a_worker_goes_on_when_the_database_is_back(pool: Pool, database: str) -> None:
    outside = Outside()
    async with at_work(pool, database, outside) as worker:
        await until(lambda: worker.health.status is Status.RUNNING)
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as other:
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        wanted = asked()
        async with await psycopg.AsyncConnection.connect(database) as other:
            await todo.add(other, [wanted])
        await until(lambda: wanted.id in outside.log)


async def test_kinds_that_a_worker_does_not_know_are_left_to_others(pool: Pool, database: str) -> None:
    outside, other, mine = Outside(), asked(kind="mail"), asked()
    async with at_work(pool, database, outside):
        await add(pool, other, mine)
        await closed(pool, mine.id)
    assert (await row(pool, other.id))["attempt"] == 0


@pytest.mark.parametrize("jump", [timedelta(hours=-2), timedelta(hours=2)])
async def test_a_clock_that_jumps_makes_work_early_or_late_but_never_twice(
    pool: Pool, database: str, jump: timedelta
) -> None:
    """Forth, the lease seems over and another worker takes the row; back, nothing is taken that is held."""

    async def takes_a_while(work: Work) -> Outcome:
        await asyncio.sleep(0.3)
        return Done()

    outside, wanted = Outside(takes_a_while), asked()
    async with at_work(pool, database, outside, lease=1), at_work(pool, database, outside, lease=1):
        await add(pool, wanted)
        await until(lambda: bool(outside.done))
        await shift(pool, jump)
        await closed(pool, wanted.id)
    assert {work.id for work in outside.done} == {wanted.id}
    assert list(outside.log) == [wanted.id]


async def test_the_figures_tell_what_waits_and_what_fails(pool: Pool, database: str) -> None:
    failing, ahead = asked(), datetime.now(UTC) + timedelta(hours=1)
    await add(pool, failing, asked(due_at=ahead), asked(kind="mail", due_at=ahead - timedelta(hours=2)))
    async with pool.connection() as connection:
        (work,) = await todo.lease(connection, [Room(["call"], 9)], 9, 30, "one")
        await todo.retry(connection, work, 60, "no route")
        call, mail = await todo.figures(connection)
    assert (call.kind, call.open, call.due, call.failing, call.late) == ("call", 2, 0, 1, 0)
    assert (mail.kind, mail.open, mail.due, mail.failing) == ("mail", 1, 1, 0)
    assert 3500 < mail.late < 3700


async def test_closed_rows_are_kept_for_a_while(pool: Pool, database: str) -> None:
    outside, old, young = Outside(), asked(), asked()
    async with at_work(pool, database, outside):
        await add(pool, old, young)
        await until(lambda: len(outside.log) == 2)
    async with pool.connection() as connection:
        await connection.execute(
            "UPDATE projections.todo SET closed_at = closed_at - interval '31 days' WHERE id = %s", [old.id]
        )
        assert await todo.prune(connection) == 1
    assert (await row(pool, young.id))["status"] == "DONE"


def test_pauses_double_up_to_the_longest_and_differ_by_chance() -> None:
    policy, dice = RetryPolicy(first=1, longest=10), Random(1)
    for attempt, full in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (2000, 10)]:
        pauses = {policy.pause(attempt, dice) for _ in range(100)}
        assert len(pauses) > 90
        assert full / 2 <= min(pauses) <= max(pauses) <= full


def test_trying_ends_after_so_many_attempts_or_so_long() -> None:
    policy = RetryPolicy(attempts=3, within=60)
    assert [policy.over(*tried) for tried in ((2, 59), (3, 0), (1, 60))] == [False, True, True]
    assert not UNTIL_DONE.over(10**6, 10**9)


async def test_what_ends_together_is_closed_together(
    pool: Pool, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    go, close = asyncio.Event(), todo.close

    async def counted(connection: Connection, ended: Iterable[Ended]) -> set[UUID]:
        ended = list(ended)
        sizes.append(len(ended))
        return await close(connection, ended)

    async def waits(work: Work) -> Outcome:
        await go.wait()
        return Done()

    monkeypatch.setattr(todo, "close", counted)
    outside, rows = Outside(waits), [asked() for _ in range(5)]
    async with at_work(pool, database, outside):
        await add(pool, *rows)
        await until(lambda: len(outside.done) == 5)
        go.set()
        for one in rows:
            await closed(pool, one.id)
    assert sizes == [5]


async def test_an_outcome_that_the_database_refuses_keeps_no_other_from_being_closed(pool: Pool, database: str) -> None:
    go, odd = asyncio.Event(), asked()

    async def waits(work: Work) -> Outcome:
        await go.wait()
        return Done({"said": "\x00"} if work.id == odd.id else {})

    outside, rows = Outside(waits), [asked() for _ in range(4)]
    async with at_work(pool, database, outside):
        await add(pool, odd, *rows)
        await until(lambda: len(outside.done) == 5)
        go.set()
        for one in rows:
            await closed(pool, one.id)
    assert (await row(pool, odd.id))["status"] == "OPEN"
