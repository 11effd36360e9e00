"""Several limiters on one database are one limit; without the database each goes on alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from commands.limits import COMMANDS, ENTRY, LIMITS, READS, Limit
from domain.actor import ANONYMOUS, Actor, Role, service
from infra.limiting import Addresses, SharedBuckets, SharedLimiter
from infra.limiting.bucket import SECOND
from infra.limiting.limiter import ahead
from infra.limiting.shared import Answer, Told
from infra.telemetry import Metrics
from projections.models import MODELS
from projections.pool import Pool
from projections.schema import prepare
from tests.eventually import until
from tests.infra.telemetry.reading import value

ANN = Actor(UUID(int=1), frozenset({Role.CUSTOMER}))
BOB = Actor(UUID(int=2), frozenset({Role.CUSTOMER}))
HOME = {"client": ("203.0.113.7", 1), "headers": []}


class Memory:
    """The table, without a database; `away` is what it raises."""

    def __init__(self) -> None:
        self.held: dict[UUID, int] = {}
        self.time = 0
        self.asked = 0
        self.away: Exception | None = None

    async def now(self) -> int:
        return self.time

    async def exchange(self, told: list[Told]) -> Answer:
        self.asked += 1
        if self.away:
            raise self.away
        for key, since, taken in told:
            self.held[key] = max(self.held.get(key, 0), since) + taken
        return Answer(self.time, {key: self.held[key] for key, _, _ in told})

    async def prune(self) -> None:
        self.held = {key: full_at for key, full_at in self.held.items() if full_at >= self.time - 60 * SECOND}


def limiter(shared, **options) -> SharedLimiter:
    return SharedLimiter(shared, Addresses(), options.pop("metrics", None) or Metrics(), secret=b"s", **options)


@asynccontextmanager
async def at_work(*limiters: SharedLimiter) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in limiters]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    await prepare(database, MODELS)
    made: Pool = AsyncConnectionPool(database, min_size=1, max_size=8, open=False, kwargs={"autocommit": False})
    async with made:
        yield made


async def admitted(by: SharedLimiter, limit: Limit = COMMANDS, actor: Actor = ANN, scope=HOME) -> bool:
    admission = await by.admit(limit, actor, scope)
    assert admission
    return not admission.retry_after


async def policy_of(by: SharedLimiter) -> bytes:
    admission = await by.admit(READS, ANN, HOME)
    assert admission
    return admission.headers[0][1]


class Hand:
    """A clock driven by hand, in microseconds."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def __call__(self) -> int:
        return self.memory.time


class TestAlone:
    @pytest.fixture
    def memory(self) -> Memory:
        return Memory()

    @pytest.fixture
    def alone(self, memory: Memory) -> SharedLimiter:
        made = limiter(memory, ticks=Hand(memory))
        made._offset = 0
        return made

    async def test_says_on_every_answer_how_many_are_left(self, alone):
        first = await alone.admit(READS, ANN, HOME)
        assert first.headers == [(b"ratelimit-policy", b'"reads";q=600;w=60'), (b"ratelimit", b'"reads";r=599;t=1')]

    async def test_refuses_what_is_too_much_and_says_when_to_come_again(self, memory, alone):
        for _ in range(20):
            assert await admitted(alone, ENTRY, ANONYMOUS)
            await alone.exchange()
        refused = await alone.admit(ENTRY, ANONYMOUS, HOME)
        assert refused.retry_after == 3
        assert refused.headers[1] == (b"ratelimit", b'"entry";r=0;t=60')
        memory.time += 3 * SECOND
        assert await admitted(alone, ENTRY, ANONYMOUS)

    async def test_services_are_not_limited(self, alone):
        assert await alone.admit(ENTRY, service("checkout"), HOME) is None

    async def test_each_has_an_allowance_of_their_own_and_so_has_each_class(self, alone):
        while await admitted(alone, ENTRY, ANONYMOUS):
            await alone.exchange()
        assert await admitted(alone, ENTRY, BOB)
        assert await admitted(alone, COMMANDS, ANONYMOUS)
        assert await admitted(alone, ENTRY, ANONYMOUS, {"client": ("203.0.113.8", 1), "headers": []})

    async def test_a_scale_multiplies_it(self, memory):
        tenth = limiter(memory, scale=0.1)
        assert await policy_of(tenth) == b'"reads";q=60;w=60'
        assert await policy_of(limiter(memory, scale=0.0001)) == b'"reads";q=1;w=60'

    async def test_a_request_worth_many_takes_as_many(self, alone):
        assert (await alone.admit(READS, ANN, HOME, 100)).headers[1][1] == b'"reads";r=500;t=10'

    async def test_many_keys_do_not_fill_the_memory(self, memory):
        few = limiter(memory, most=100)
        for number in range(1000):
            assert await admitted(few, READS, ANONYMOUS, {"client": (f"10.0.{number // 250}.{number % 250}", 1)})
        assert len(few) == len(few._used) == 100

    async def test_what_is_whole_again_is_forgotten_here_and_there(self, memory, alone):
        assert await admitted(alone)
        await alone.exchange()
        await alone.sweep()
        assert (len(alone), len(memory.held)) == (1, 1)
        memory.time += 100 * SECOND
        await alone.sweep()
        assert (len(alone), len(memory.held)) == (0, 0)

    async def test_a_hot_key_asks_nobody_within_its_twentieth(self, memory, alone):
        for _ in range(ahead(300)):
            assert await admitted(alone)
        assert memory.asked == 0

    async def test_it_counts_what_it_refuses_by_class(self, memory):
        metrics = Metrics()
        memory.away = OSError("away")
        alone = limiter(memory, metrics=metrics)
        async with at_work(alone):
            while await admitted(alone, ENTRY):
                pass
        assert value((await metrics.text()).decode(), "chobo_rate_limited_requests_total", limit="entry") == 1


class TestTogether:
    @pytest.mark.parametrize("limit", [ENTRY, COMMANDS])
    async def test_they_let_through_together_what_one_would_and_no_more_ahead_than_they_say(self, pool, limit):
        both = [limiter(SharedBuckets(pool)) for _ in range(2)]
        async with at_work(*both):
            began = asyncio.get_running_loop().time()
            sent = [admitted(both[n % 2], limit) for n in range(2 * limit.anybody)]
            let = sum(await asyncio.gather(*sent))
            took = asyncio.get_running_loop().time() - began
        drained = int(took * limit.anybody / 60) + 1
        assert limit.anybody <= let <= limit.anybody + 2 * ahead(limit.anybody) + drained

    async def test_what_one_let_through_the_other_knows_soon(self, pool):
        first, second = limiter(SharedBuckets(pool)), limiter(SharedBuckets(pool))
        async with at_work(first, second):
            while await admitted(first, ENTRY):
                pass
            let = 0
            while await admitted(second, ENTRY):
                let += 1
            assert let <= 1 + ahead(ENTRY.anybody)

    async def test_the_clock_is_the_databases(self, pool):
        behind, right = limiter(SharedBuckets(pool), ticks=lambda: 5), limiter(SharedBuckets(pool))
        behind._offset = 0
        async with at_work(behind):
            await until(lambda: abs(behind._now() - right._now()) < SECOND)

    async def test_no_address_is_kept(self, pool, database):
        one = limiter(SharedBuckets(pool))
        await admitted(one, ENTRY, ANONYMOUS)
        await one.exchange()
        with psycopg.connect(database) as connection:
            rows = connection.execute("SELECT key::text FROM projections.rate_limits").fetchall()
        assert len(rows) == 1
        assert "203" not in str(UUID(rows[0][0]).bytes)

    async def test_what_is_long_whole_is_pruned(self, pool, database):
        shared = SharedBuckets(pool)
        now = await shared.now()
        await shared.exchange([Told(UUID(int=1), now - 100 * SECOND, SECOND), Told(UUID(int=2), now, SECOND)])
        await shared.prune()
        with psycopg.connect(database) as connection:
            rows = connection.execute("SELECT key FROM projections.rate_limits").fetchall()
        assert rows == [(UUID(int=2),)]


class TestAway:
    async def test_each_goes_on_alone_says_so_once_and_tells_the_others_when_it_is_back(self, caplog):
        caplog.set_level(logging.INFO, "chobo.limits")
        memory, metrics = Memory(), Metrics()
        memory.away = psycopg.OperationalError("the server closed the connection")
        alone = limiter(memory, metrics=metrics)
        await admitted(alone, ENTRY)
        await alone.exchange()
        await alone.exchange()
        let = 1
        while await admitted(alone, ENTRY):
            let += 1
        assert let == ENTRY.anybody
        assert memory.held == {}
        memory.away = None
        memory.time = alone._now()
        await alone.exchange()
        (full_at,) = memory.held.values()
        assert 59 * SECOND < full_at - memory.time <= 60 * SECOND
        said = [record.message for record in caplog.records]
        assert said == [
            "rate limits are not shared, this process counts alone: the server closed the connection",
            "rate limits are shared with other processes again",
        ]
        assert value((await metrics.text()).decode(), "chobo_rate_limit_failures_total") == 2

    async def test_who_would_ask_first_does_not_wait_long_for_a_database_that_does_not_answer(self):
        class Silent(Memory):
            async def exchange(self, told: list[Told]) -> Answer:
                return await asyncio.Future()

        there = Silent()
        silent = limiter(there)
        there.time = silent._now()
        async with at_work(silent), asyncio.timeout(5):
            assert [await admitted(silent, ENTRY) for _ in range(5)] == [True] * 5


def test_the_table_gives_more_to_who_works_here():
    assert all(limit.anybody < limit.staff < limit.operators for limit in LIMITS.values())
