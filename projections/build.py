"""Building a generation straight from the log, in parts that any number of workers share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from psycopg import AsyncConnection

from domain.ids import SLICES
from projections import generations
from projections.checkpoint import Checkpoint, Checkpoints
from projections.consumer import Consumer
from projections.feed import Feed
from projections.generations import Generation, State
from projections.model import Model
from projections.pool import Connection, Pool, connected
from projections.sink import ModelSink

BATCH: Final = 10_000  # events; the larger, the fewer rows are written twice
LOOK: Final = 0.5  # seconds between looks at what is left and whether it is still wanted
AT_ONCE: Final = 2  # parts a worker takes in hand, if they are free: together they cost one scan of the log

log = logging.getLogger(__name__)

Part = tuple[str, int]
"""A context and the number of a part of its log."""

PartFeed = Callable[[str, Collection[int], int], Feed]
"""The log of a context, only these slices, up to a position."""


class Builder:
    """Builds in this process. Every part is done by one worker at a time, who holds a lock on it while it lives."""

    def __init__(
        self,
        conninfo: str,
        pool: Pool,
        models: Mapping[str, Model],
        part: PartFeed,
        *,
        at_once: int = AT_ONCE,
        batch: int = BATCH,
    ) -> None:
        """`conninfo` and `pool` are of the read database."""
        self._conninfo = conninfo
        self._pool = pool
        self._models = models
        self._part = part
        self._at_once = at_once
        self._batch = batch

    async def build(self, generation: Generation) -> None:
        """Works until the generation is built, by whomever, or nobody wants it any more. Raises psycopg.Error."""
        async with await AsyncConnection.connect(self._conninfo, autocommit=True) as locks:
            while await self._wanted(generation):
                if hand := await self._take(locks, generation):
                    await self._work_on(generation, hand)
                    for context, part in hand:
                        await _unlock(locks, generation, f"{context}/{part}")
                elif await self._finish(locks, generation):
                    return
                else:
                    await asyncio.sleep(LOOK)

    async def _take(self, locks: Connection, generation: Generation) -> list[Part]:
        """Parts of one context that nobody else works on, locked."""
        taken: list[Part] = []
        for context, part in await self._left(generation):
            if len(taken) == self._at_once or (taken and taken[0][0] != context):
                break
            if await _locked(locks, generation, f"{context}/{part}"):
                taken.append((context, part))
        return taken

    async def _wanted(self, generation: Generation) -> bool:
        async with connected(self._pool) as connection:
            return any(
                g.generation == generation.generation and g.status is State.BUILDING
                for g in await generations.listed(connection, generation.model)
            )

    async def _left(self, generation: Generation) -> list[Part]:
        """The parts that are not at their end."""
        left: list[Part] = []
        async with connected(self._pool) as connection:
            for context, end in (generation.ends or {}).items():
                checkpoint = await generations.checkpoint_of(connection, generation, context)
                left += [
                    (context, n) for n in range(generation.parts) if not done(checkpoint, slices(generation, n), end)
                ]
        return left

    async def _work_on(self, generation: Generation, hand: Sequence[Part]) -> None:
        """Several parts are read as one. A consumer does it, and waits, tries again and parks as always.

        It is ended when all are at their end, or not wanted any more.
        """
        context = hand[0][0]
        end = (generation.ends or {})[context]
        mine = [slice for _, part in hand for slice in slices(generation, part)]
        arrived = asyncio.Event()

        def moved(_: str, __: str, checkpoint: Checkpoint) -> None:
            if done(checkpoint, mine, end):
                arrived.set()

        sink = ModelSink(self._models[generation.model], generation.generation)
        consumer = Consumer(sink, self._part(context, mine, end), self._pool, moved=moved, limit=self._batch)
        tasks = [asyncio.create_task(consumer.run()), asyncio.create_task(arrived.wait())]
        try:
            while not arrived.is_set() and await self._wanted(generation):
                await asyncio.wait(tasks, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancelled(tasks)

    async def _finish(self, locks: Connection, generation: Generation) -> bool:
        """Makes the indexes and says that it is built, if all parts are done; only one worker does."""
        if await self._left(generation) or not await _locked(locks, generation, "finish"):
            return False
        try:
            async with connected(self._pool) as connection:
                for context, end in (generation.ends or {}).items():
                    await _lift(connection, generation, context, end)
                await generations.built(connection, generation)
        finally:
            await _unlock(locks, generation, "finish")
        log.info("%s is built", generation.name)
        return True


def slices(generation: Generation, part: int) -> list[int]:
    return [slice for slice in range(SLICES) if slice % generation.parts == part]


def done(checkpoint: Checkpoint | None, slices: Collection[int], end: int) -> bool:
    return not end or (checkpoint is not None and all(checkpoint.of(slice) >= end for slice in slices))


async def _lift(connection: Connection, generation: Generation, context: str, end: int) -> None:
    """The floor takes the place of the slices, as a feed of the whole log wants it."""
    checkpoint = await generations.checkpoint_of(connection, generation, context)
    if checkpoint is None or not end:
        return
    await Checkpoints(generation.name, context).lift_floor(connection, checkpoint.incarnation, end)
    await connection.execute(
        "DELETE FROM projections.slice_checkpoints WHERE (consumer, context) = (%s, %s) AND position <= %s",
        [generation.name, context, end],
    )


async def _locked(connection: Connection, generation: Generation, what: str) -> bool:
    found = await connection.execute(
        "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"chobo build {generation.name}/{what}"]
    )
    row = await found.fetchone()
    return bool(row and row[0])


async def _unlock(connection: Connection, generation: Generation, what: str) -> None:
    await connection.execute(
        "SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"chobo build {generation.name}/{what}"]
    )


async def _cancelled(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
