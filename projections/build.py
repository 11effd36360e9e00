"""Building a generation straight from the log, in parts that any number of workers share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from typing import Final

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

BATCH: Final = 4_000  # events; the larger, the fewer rows are written twice
LOOK: Final = 0.5  # seconds between looks at what is left and whether it is still wanted
AT_ONCE: Final = 2  # parts a worker has in hand: while one waits for the database, the other folds

log = logging.getLogger(__name__)

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
            working: dict[tuple[str, int], asyncio.Task[None]] = {}
            try:
                while await self._wanted(generation):
                    await self._take_parts(locks, generation, working)
                    if not working and await self._finish(locks, generation):
                        return
                    await self._wait(locks, generation, working)
            finally:
                await _cancelled(working.values())

    async def _take_parts(
        self, locks: Connection, generation: Generation, working: dict[tuple[str, int], asyncio.Task[None]]
    ) -> None:
        for context, part in await self._left(generation):
            if len(working) >= self._at_once:
                return
            key = context, part
            if key not in working and await _locked(locks, generation, f"{context}/{part}"):
                working[key] = asyncio.create_task(self._build_part(generation, context, part))

    async def _wait(
        self, locks: Connection, generation: Generation, working: dict[tuple[str, int], asyncio.Task[None]]
    ) -> None:
        if working:
            await asyncio.wait(working.values(), timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(LOOK)
        for (context, part), task in list(working.items()):
            if task.done():
                del working[context, part]
                await _unlock(locks, generation, f"{context}/{part}")
                task.result()

    async def _wanted(self, generation: Generation) -> bool:
        async with connected(self._pool) as connection:
            return any(
                g.generation == generation.generation and g.status is State.BUILDING
                for g in await generations.listed(connection, generation.model)
            )

    async def _left(self, generation: Generation) -> list[tuple[str, int]]:
        """Contexts and numbers of the parts that are not at their end."""
        left = []
        async with connected(self._pool) as connection:
            for context, end in (generation.ends or {}).items():
                checkpoint = await generations.checkpoint_of(connection, generation, context)
                left += [
                    (context, n) for n in range(generation.parts) if not done(checkpoint, slices(generation, n), end)
                ]
        return left

    async def _build_part(self, generation: Generation, context: str, part: int) -> None:
        """The consumer does it, and waits, tries again and parks as always; it is ended where the part ends."""
        end = (generation.ends or {})[context]
        arrived = asyncio.Event()

        def moved(_: str, __: str, checkpoint: Checkpoint) -> None:
            if done(checkpoint, slices(generation, part), end):
                arrived.set()

        sink = ModelSink(self._models[generation.model], generation.generation)
        feed = self._part(context, slices(generation, part), end)
        consumer = Consumer(sink, feed, self._pool, moved=moved, limit=self._batch)
        following = asyncio.create_task(consumer.run())
        try:
            await arrived.wait()
        finally:
            await _cancelled([following])

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


async def _cancelled(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
