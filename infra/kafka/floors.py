"""Raises the floors of consumers that follow topics: of slices in which nothing happens nobody would ever hear.

A floor matters to whoever moves floors - the log as a feed, a build - and makes a checkpoint short.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout

from infra.event_log.log import Pool as LogPool
from infra.kafka.published import published
from projections.checkpoint import Checkpoints
from projections.pool import Pool, connected

REST: Final = 10.0  # seconds

FOLLOWING: Final = "SELECT DISTINCT consumer FROM projections.slice_checkpoints WHERE context = %s"

log = logging.getLogger(__name__)


class Floors:
    """Any number of processes may do this. `logs` are the databases of the contexts."""

    def __init__(self, reads: Pool, logs: Mapping[str, LogPool]) -> None:
        self._reads = reads
        self._logs = logs

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.lift()
            except (psycopg.Error, PoolTimeout, OSError) as error:
                log.warning("floors stay where they are for now: %s", error)
            await asyncio.sleep(REST)

    async def lift(self) -> None:
        """To where the relay stands, for each consumer that has applied what it has published. Raises psycopg.Error."""
        for context, pool in self._logs.items():
            said = await published(pool, context)
            if not said.is_of_the_log:
                continue
            async with connected(self._reads) as connection:
                for (consumer,) in await (await connection.execute(FOLLOWING, [context])).fetchall():
                    checkpoints = Checkpoints(consumer, context)
                    await checkpoints.lift_floor(connection, said.log, said.position, said.lasts)
