"""Keeps a consumer at work for every generation there is, as generations come and go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout

from projections import generations
from projections.consumer import Consumer, Moved
from projections.feed import Feed
from projections.generations import Generation, State, shape_of
from projections.model import Model
from projections.pool import Pool, connected
from projections.replay import ReplayRefused, Replays
from projections.sink import ModelSink

LOOK: Final = 1.0  # seconds between looks at the books

log = logging.getLogger(__name__)

FeedOf = Callable[[str, str], AbstractAsyncContextManager[Feed]]
"""The feed of a consumer (`orders@1`) in a context, open while it works."""

Build = Callable[[Generation], Awaitable[None]]
"""Works on a generation that is being built until it is done, alone or beside others."""


class Workers:
    """Any number of processes may have one: they share what is built and stand by for each other.

    What has a shape of this release is followed from when it is built until it is dropped. Where readers see another
    shape, the next generation is built and switched to without being asked for.
    """

    def __init__(
        self,
        pool: Pool,
        models: Sequence[Model],
        feed_of: FeedOf,
        replays: Replays,
        build: Build,
        *,
        moved: Moved | None = None,
    ) -> None:
        self._pool = pool
        self._models = {model.name: model for model in models}
        self._feed_of = feed_of
        self._replays = replays
        self._build = build
        self._moved = moved
        self._following: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._consumers: dict[tuple[str, str], Consumer] = {}
        self._builds: dict[str, asyncio.Task[None]] = {}

    @property
    def consumers(self) -> list[Consumer]:
        """Those at work now."""
        return list(self._consumers.values())

    @property
    def building(self) -> list[str]:
        """The generations this process helps to build."""
        return list(self._builds)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    await self.look()
                except (psycopg.Error, PoolTimeout, OSError, ReplayRefused) as error:
                    log.warning("generations could not be looked after: %s", error)
                await asyncio.sleep(LOOK)
        finally:
            await self._end([*self._following.values(), *self._builds.values()])

    async def look(self) -> None:
        """Starts and stops what the books ask for. Raises psycopg.Error, PoolTimeout, ReplayRefused."""
        async with connected(self._pool) as connection:
            standing = await generations.listed(connection)
        ours = [g for g in standing if g.model in self._models and g.shape == shape_of(self._models[g.model])]
        await self._follow({(g.name, c): g for g in ours if g.is_followed for c in self._models[g.model].contexts})
        await self._keep_building({g.name: g for g in ours if g.status is State.BUILDING})
        async with connected(self._pool) as connection:
            await generations.forget_consumers(connection)
        for model in self._models.values():
            await self._mend_shape(model, [g for g in standing if g.model == model.name])

    async def _follow(self, wanted: Mapping[tuple[str, str], Generation]) -> None:
        await self._end([self._following.pop(key) for key in set(self._following) - set(wanted)])
        for (name, context), generation in wanted.items():
            if (name, context) not in self._following:
                self._following[name, context] = asyncio.create_task(self._followed(generation, context))

    async def _followed(self, generation: Generation, context: str) -> None:
        """Until cancelled."""
        sink = ModelSink(self._models[generation.model], generation.generation)
        while True:
            try:
                async with self._feed_of(generation.name, context) as feed:
                    consumer = Consumer(sink, feed, self._pool, moved=self._moved)
                    self._consumers[generation.name, context] = consumer
                    await consumer.run()
            except Exception:
                log.exception("the feed of %s in %s is opened again", generation.name, context)
                await asyncio.sleep(LOOK)
            finally:
                self._consumers.pop((generation.name, context), None)

    async def _keep_building(self, wanted: Mapping[str, Generation]) -> None:
        ended = [name for name, task in self._builds.items() if name not in wanted or task.done()]
        await self._end([self._builds.pop(name) for name in ended])
        for name, generation in wanted.items():
            if name not in self._builds:
                self._builds[name] = asyncio.create_task(self._built(generation))

    async def _built(self, generation: Generation) -> None:
        try:
            await self._build(generation)
        except Exception:
            log.exception("building %s goes on later", generation.name)

    async def _mend_shape(self, model: Model, standing: Sequence[Generation]) -> None:
        """Builds what this release needs, unless an earlier one does not know better: its shape is KEPT."""
        live = next((g for g in standing if g.status is State.LIVE), None)
        if live is None or live.shape == shape_of(model):
            return
        same = [g for g in standing if g.shape == shape_of(model) and g.until is None]
        ready = [g for g in same if g.status is State.READY]
        if ready:
            await self._replays.switch(ready[0], force=True)
            log.warning("readers see %s instead of %s: table.sql has changed", ready[0].name, live.name)
        elif not same:
            for other in (g for g in standing if g.is_candidate):
                await self._replays.cancel(other)
            started = await self._replays.start(model.name, for_shape=True)
            log.warning("%s is built: table.sql has changed since %s", started.name, live.name)

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
