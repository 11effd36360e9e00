"""States kept beside long streams, so that loading need not read them whole. They may be thrown away freely."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from pydantic import TypeAdapter

from domain.aggregate import Context

EVERY: Final = 2000
"""A snapshot is due when this many events would have to be read. Reading 2000 takes about 25 ms."""

BYTES_AN_EVENT: Final = 200
"""A large state is dear to write: it must have grown by an event for each so many bytes."""

CAPACITY: Final = 100_000

log = logging.getLogger(__name__)


class Snapshots:
    """Snapshots of the context's state classes, named by class and shape, so that a changed class ignores old ones."""

    def __init__(self, context: Context, pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> None:
        self._pool = pool
        self._adapters = {_topic(cls): (cls, TypeAdapter(cls)) for cls in context.snapshots}
        self._topics_by_class = {cls: topic for topic, (cls, _) in self._adapters.items()}
        self._insert = (
            f"INSERT INTO {context.name}.snapshots (originator_id, originator_version, topic, state)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (originator_id, originator_version)"
            " DO UPDATE SET topic = excluded.topic, state = excluded.state"  # it may be there in another shape
        )
        self._prune = f"DELETE FROM {context.name}.snapshots WHERE originator_id = %s AND originator_version < %s"
        self._due: dict[UUID, int] = {}  # the version from which on the next one is worth its price
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def topics(self) -> list[str]:
        return list(self._adapters)

    def open(self, topic: str, stored: bytes) -> Any:
        return self._adapters[topic][1].validate_json(stored)

    def loaded(self, state: Any, length: int) -> None:
        """`length` events were read to get this state. Takes a snapshot in the background if they were many."""
        if type(state) in self._topics_by_class:
            self._due_from(state.id, state.version - length + EVERY)
            self.written(state)

    def written(self, state: Any) -> None:
        """Takes a snapshot in the background if the stream has grown by much since the last."""
        if type(state) in self._topics_by_class and state.version >= self._due.get(state.id, EVERY):
            self._take(state)

    def _take(self, state: Any) -> None:
        topic = self._topics_by_class[type(state)]
        stored = self._adapters[topic][1].dump_json(state)
        self._due_from(state.id, state.version + max(EVERY, len(stored) // BYTES_AN_EVENT))
        task = asyncio.create_task(self._save(state.id, state.version, topic, stored))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _due_from(self, id: UUID, version: int) -> None:
        if len(self._due) > CAPACITY:
            self._due.clear()  # at worst some are taken early
        self._due[id] = version

    async def settled(self) -> None:
        """Waits for those that are being saved."""
        await asyncio.gather(*self._tasks)

    async def _save(self, id: UUID, version: int, topic: str, stored: bytes) -> None:
        try:
            async with self._pool.connection() as connection:
                await connection.execute(self._insert, [id, version, topic, stored])
                await connection.execute(self._prune, [id, version])
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("no snapshot of %s at version %d: %s", id, version, error)  # the next one will do


def _topic(cls: type[Any]) -> str:
    shape = TypeAdapter(cls).json_schema(mode="serialization")
    return f"{cls.__module__}.{cls.__qualname__}/{hashlib.sha256(repr(shape).encode()).hexdigest()[:12]}"
