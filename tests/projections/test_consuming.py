"""Whatever happens to consumers, the rows are the plain fold of the log, and the sums are those of the rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg_pool import AsyncConnectionPool

from domain.event import Event
from domain.ids import SLICES
from projections.checkpoint import Checkpoint, Checkpoints, Fenced
from projections.consumer import Consumer
from projections.feed import Batch, Recorded
from projections.parked import Parked, listed
from projections.pool import Connection, Pool
from projections.schema import prepare
from projections.sink import ModelSink, Writing
from projections.unparking import Retries
from tests.full import size
from tests.projections.fakes import FakeFeed, FakeStreams, folded
from tests.projections.stories import STORIES, mixed
from tests.projections.tallies import TALLIES, TallyRow, recomputed, tallied

SLICED = {"left": range(SLICES // 2), "right": range(SLICES // 2, SLICES), "all": range(SLICES)}
WORKERS = ("floor", "other floor", *SLICED)


@dataclass
class AnyFeed:
    """As lawless as a feed may be: batches of any size, what was seen before again, slices in any order and number.

    With `slices` it moves slices, otherwise the floor. `ends` says for how many events of a slice, or of the log, the
    next batch is good, `again` how many it repeats.
    """

    source: FakeFeed
    slices: Sequence[int] | None
    ends: list[int] = field(default_factory=lambda: [1000])
    again: int = 0

    @property
    def context(self) -> str:
        return self.source.context

    async def head(self) -> tuple[UUID, int]:
        return await self.source.head()

    async def read(self, checkpoint: Checkpoint, limit: int) -> Batch:
        if self.slices is None:
            after = checkpoint.floor
            found = self.source.log[max(0, after - self.again) : after + self.ends[0]]
            floor = min(after + self.ends[0], len(self.source.log))
            return Batch(found, self.source.incarnation, len(self.source.log), floor)
        parts = [self._part(slice, checkpoint, end) for slice, end in zip(self.slices, self._ends(), strict=False)]
        recorded = [each for part in parts for each in part]
        moved = {each.slice: each.position for each in recorded if each.position > checkpoint.of(each.slice)}
        return Batch(recorded, self.source.incarnation, len(self.source.log), checkpoint.floor, moved)

    async def wait(self, checkpoint: Checkpoint, timeout: float) -> None:
        await self.source.wait(checkpoint, timeout)

    def _ends(self) -> Iterator[int]:
        return (self.ends[n % len(self.ends)] for n in count())

    def _part(self, slice: int, checkpoint: Checkpoint, end: int) -> list[Recorded]:
        of_slice = [each for each in self.source.log if each.slice == slice]
        after = sum(each.position <= checkpoint.of(slice) for each in of_slice)
        return of_slice[max(0, after - self.again) : after + end]


class CrashingSink(ModelSink):
    """Dies, while `dies` is true, when all is written and nothing committed."""

    dies = False

    def begin(self, batch: Sequence[Recorded]) -> Writing:
        writing = super().begin(batch)
        if self.dies:
            saved = writing.save

            async def save(connection: Connection) -> None:
                await saved(connection)
                await connection.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'internal_error'; END $$")

            writing.save = save  # type: ignore[method-assign]
        return writing


@dataclass
class Scene:
    """One log, one consumer of many workers, each with the checkpoint it believes in."""

    pool: Pool
    source: FakeFeed = field(default_factory=lambda: FakeFeed("orders"))
    believed: dict[str, Checkpoint] = field(default_factory=dict)
    bad: set[int] = field(default_factory=set)
    stood: Checkpoint = field(default_factory=lambda: Checkpoint(UUID(int=0)))

    async def step(self, worker: str, ends: list[int], again: int = 0, *, dies: bool = False) -> None:
        """One batch. Who dies or is fenced begins anew the next time."""
        sink = CrashingSink(TALLIES)
        sink.dies = dies
        consumer = Consumer(sink, AnyFeed(self.source, SLICED.get(worker), ends, again), self.pool)
        try:
            checkpoint = self.believed.get(worker) or await consumer.open()
            with bugs(self.bad):
                self.believed[worker] = await consumer.step(checkpoint)
        except (Fenced, psycopg.InternalError):
            self.believed.pop(worker, None)

    async def lift(self, position: int) -> None:
        position = min(position, len(self.source.log))
        lasts = dict.fromkeys(range(SLICES), 0)
        lasts |= {each.slice: each.position for each in self.source.log[:position]}
        async with self.pool.connection() as connection:
            checkpoints = Checkpoints("tallies@1", "orders")
            await checkpoints.lift_floor(connection, self.source.incarnation, position, lasts)

    async def retry(self) -> None:
        retries = Retries(self.pool, lambda _: ModelSink(TALLIES), {"orders": FakeStreams(self.source)})
        for parked in await self.parked():
            with bugs(self.bad):
                await retries.retry(parked.id)

    async def finish(self) -> None:
        """All bugs mended, everything caught up with."""
        self.bad.clear()
        self.believed.clear()
        await self.step("floor", [1000])
        await self.retry()

    async def check(self) -> None:
        """What holds at any time."""
        assert await self.sums() == recomputed((await self.rows()).values())
        async with self.pool.connection() as connection:
            now = await Checkpoints("tallies@1", "orders").open(connection, self.source.incarnation)
        assert all(now.of(slice) >= self.stood.of(slice) for slice in range(SLICES)), "never moved back"
        self.stood = now
        for parked in await self.parked():
            behind = self.source.log[parked.position : now.of(parked.slice)]
            assert parked.waiting == sum(each.event.originator_id == parked.sequence for each in behind)

    async def parked(self) -> list[Parked]:
        async with self.pool.connection() as connection:
            return await listed(connection)

    async def rows(self) -> dict[UUID, TallyRow]:
        async with self.pool.connection() as connection:
            ids = {each.event.originator_id for each in self.source.log}
            return await tallied.table.load(connection, "reads", ids)

    async def sums(self) -> dict[tuple[Any, ...], dict[str, int]]:
        query = "SELECT status, open, orders, events FROM reads.tallies WHERE orders <> 0 OR events <> 0"
        async with self.pool.connection() as connection:
            found = await (await connection.execute(query)).fetchall()
        return {
            (row[0], row[1]): {k: n for k, n in zip(("orders", "events"), row[2:], strict=True) if n} for row in found
        }


@contextmanager
def bugs(positions: set[int]) -> Iterator[None]:
    apply = tallied.apply

    def fails(row: Any, recorded: Recorded) -> TallyRow:
        if recorded.position in positions:
            raise ZeroDivisionError
        return apply(row, recorded)

    tallied.apply = fails  # type: ignore[method-assign]
    try:
        yield
    finally:
        tallied.apply = apply  # type: ignore[method-assign]


LONG = [story for story in STORIES if len(story) > 3]

logs = st.builds(
    mixed,
    st.lists(st.integers(0, 7), min_size=20, max_size=40),
    st.lists(st.sampled_from(LONG), min_size=4, max_size=8),
)
workers = st.sampled_from(WORKERS)
ends = st.lists(st.integers(0, 6), min_size=1, max_size=5)
positions = st.integers(1, 40)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 12)),
        st.tuples(st.just("step"), workers, ends, st.integers(0, 3)),
        st.tuples(st.just("step"), workers, st.just([1000]), st.integers(0, 3)),
        st.tuples(st.just("die"), workers, ends),
        st.tuples(st.just("lift"), positions),
        st.tuples(st.just("bad"), st.sets(positions, max_size=6)),
        st.tuples(st.just("retry")),
    ),
    min_size=20,
    max_size=40,
)


async def played(database: str, events: list[Event], script: list[tuple[Any, ...]]) -> None:
    left = list(events)
    async with AsyncConnectionPool(database, min_size=1, max_size=2, open=False) as pool:
        scene = Scene(pool)
        acts: dict[str, Callable[..., Any]] = {
            "step": scene.step,
            "die": lambda worker, ends: scene.step(worker, ends, dies=True),
            "lift": scene.lift,
            "retry": scene.retry,
        }
        for name, *values in script:
            if name == "append":
                scene.source.append(*left[: values[0]])
                del left[: values[0]]
            elif name == "bad":
                scene.bad = values[0]
            else:
                await acts[name](*values)
            await scene.check()
        scene.source.append(*left)
        await scene.finish()
        assert await scene.rows() == folded(TALLIES, scene.source.log)[tallied]
        await scene.check()
        assert await scene.parked() == []


@pytest.fixture(scope="module")
def prepared(module_database: str) -> str:
    asyncio.run(prepare(module_database, [TALLIES]))
    return module_database


@pytest.mark.full("consumers")
@settings(max_examples=size(25, 500, suite="consumers"))
@given(logs, actions)
def test_rows_and_sums_are_those_of_the_plain_fold(prepared: str, events: list[Event], script: Any) -> None:
    with psycopg.connect(prepared, autocommit=True) as connection:
        connection.execute("DELETE FROM projections.checkpoints")
        connection.execute("TRUNCATE tallies_1.tallied, tallies_1.tallies")
    asyncio.run(played(prepared, events, script))
