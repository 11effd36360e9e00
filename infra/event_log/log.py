"""The event log of one context: the adapter behind the write loop's port."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, pq
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from commands.log import Appended, Batch, Encoded, KeyNeeded, RefusedByLog, StoredReply, Unavailable
from commands.reply import OutcomeUnknown
from domain.aggregate import Context
from domain.errors import NotFound
from domain.event import Event
from infra.event_log import append_call, fence
from infra.event_log.mapper import EventMapper, owner_of
from infra.event_log.snapshots import Snapshots
from infra.event_log.wire import ConnectionLost, StatementFailed, Wire
from infra.keys import KeyNotLoaded, UnknownKey

STEP: Final = 5_000
"""Events of one stream that are read at once: a longer one must not keep the others of the process waiting."""

log = logging.getLogger(__name__)

Pool = AsyncConnectionPool[AsyncConnection[TupleRow]]


class KeyStore(Protocol):
    def get(self, owner: UUID) -> bytes | None: ...
    async def prefetch(self, owners: Iterable[UUID]) -> None: ...


@dataclass(slots=True)
class _Call:
    """A batch on its way: sent again, as it is, whenever the connection breaks."""

    batch: Batch
    params: list[bytes | None]
    deadline: float
    answer: asyncio.Future[Appended]
    sent: int = 0
    reply: asyncio.Future[pq.abc.PGresult] | None = field(default=None)


class EventLog:
    """Writes on a direct connection of its own (session locks: no transaction pooler), reads through a pool."""

    def __init__(self, conninfo: str, pool: Pool, context: Context, keys: KeyStore) -> None:
        self.context = context
        self._conninfo = conninfo
        self._pool = pool
        self._keys = keys
        self._mapper = EventMapper(keys)
        self.snapshots = Snapshots(context, pool)
        self._statement = append_call.statement(context.name)
        self._load = f"SELECT * FROM {context.name}.load(%s, %s::bigint[], %s, {STEP})"
        self._wire: Wire | None = None
        self._calls: list[_Call] = []
        self._connecting: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._written: list[Callable[[int], None]] = []

    async def open(self) -> None:
        """Connects. Raises psycopg.OperationalError."""
        if self._wire is None:
            self._wire = await Wire.open(self._conninfo, self._statement, append_call.TYPES)

    async def close(self) -> None:
        """Who still waits for an append is told that its outcome is unknown."""
        for call in self._calls:
            if not call.answer.done():
                call.answer.set_exception(OutcomeUnknown("the log was closed before the database answered"))
        if self._connecting:
            self._connecting.cancel()
        if self._wire:
            await self._wire.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.snapshots.settled()

    def on_written(self, tell: Callable[[int], None]) -> None:
        """`tell(position)` is called after each append that wrote events, with the last position."""
        self._written.append(tell)

    def encode(self, event: Event) -> bytes:
        try:
            return self._mapper.encode(event)
        except KeyNotLoaded as error:
            raise KeyNeeded(error.owner) from None

    async def fetch_keys(self, owners: Iterable[UUID]) -> None:
        """For writing about these users. Raises NotFound for one that never was, Unavailable."""
        try:
            await self._prefetch(owners)
        except UnknownKey as error:
            raise NotFound("user", min(error.owners)) from error

    async def _prefetch(self, owners: Iterable[UUID]) -> None:
        try:
            await self._keys.prefetch(owners)
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise Unavailable(str(error)) from error

    # -- appending

    async def append(self, batch: Batch, deadline: float) -> Appended:
        try:
            params = append_call.params(batch)
        except UnicodeError as error:  # text that is not UTF-8
            raise RefusedByLog(str(error)) from error
        call = _Call(batch, params, deadline, asyncio.get_running_loop().create_future())
        self._calls.append(call)
        self._send(call)
        try:
            async with asyncio.timeout_at(deadline):
                return await call.answer
        except TimeoutError:
            raise OutcomeUnknown("the database did not answer before the deadline") from None
        finally:
            self._calls.remove(call)

    def _send(self, call: _Call) -> None:
        if self._wire is None or self._wire.lost:
            self._reconnect()
            return
        call.sent += 1
        call.reply = self._wire.call(call.params, append_call.FORMATS)
        call.reply.add_done_callback(lambda reply: self._answered(call, reply))

    def _answered(self, call: _Call, reply: asyncio.Future[pq.abc.PGresult]) -> None:
        error = None if reply.cancelled() else reply.exception()  # taken in any case, or asyncio complains of it
        if call.answer.done() or reply.cancelled():
            return
        if isinstance(error, ConnectionLost):
            self._reconnect()
        elif isinstance(error, StatementFailed):
            kind = Unavailable if error.sqlstate == fence.SQLSTATE else RefusedByLog
            call.answer.set_exception(kind(str(error)))
        else:
            appended, newer = append_call.read(result := reply.result())
            head = append_call.long(result.get_value(0, 7))
            if appended.stale:
                self._start(self._finish_stale(call, appended, head, newer))
            else:
                self._finish(call, appended, head)

    def _finish(self, call: _Call, appended: Appended, head: int) -> None:
        append_call.place(call.batch, appended, head)
        if not call.answer.done():
            call.answer.set_result(appended)
            self._tell(call.batch, appended)

    async def _finish_stale(
        self, call: _Call, appended: Appended, head: int, newer: dict[UUID, list[append_call.Row]]
    ) -> None:
        try:
            if call.sent > 1:
                await self._recognise(call, appended)
            for id, rows in newer.items():
                await self._read_newer(appended, id, rows)
        except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must hear of it
            if not call.answer.done():
                call.answer.set_exception(error)
            return
        self._finish(call, appended, head)

    def _reconnect(self) -> None:
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect_again())

    async def _connect_again(self) -> None:
        """Until it succeeds; then what was under way is sent again in the same order."""
        pause = 0.05
        await asyncio.sleep(pause / 5)  # the server may be there and yet have no use for what is sent
        while any(not call.answer.done() for call in self._calls):
            try:
                if self._wire:
                    await self._wire.close()
                self._wire = await Wire.open(self._conninfo, self._statement, append_call.TYPES)
                break
            except (psycopg.Error, ConnectionLost, StatementFailed) as error:
                log.warning("no connection to write the log of %s: %s", self.context.name, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)
        for call in list(self._calls):
            if not call.answer.done():
                self._send(call)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell(self, batch: Batch, appended: Appended) -> None:
        last = max(
            (first + len(u.events) - 1 for u, first in zip(batch.units, appended.first, strict=True) if first),
            default=0,
        )
        if last:
            for tell in self._written:
                tell(last)

    async def _read_newer(self, appended: Appended, id: UUID, rows: list[append_call.Row]) -> None:
        """What cannot be decoded is left to be loaded by those it concerns: for the others the append went well."""
        try:
            appended.newer[id] = await self._decoded((id, *row) for row in rows)
        except Exception as error:  # noqa: BLE001  # whatever it is, loading meets it again
            log.warning("newer events of %s could not be read: %s", id, error)
            appended.reload.add(id)

    async def _recognise(self, call: _Call, appended: Appended) -> None:
        """After a lost connection a component may be stale because the first try wrote it: our event ids tell."""
        batch = call.batch
        mine = [u for u in batch.units if u.component in appended.stale and u.events]
        if not mine:
            return
        positions = await self._positions(call, [u.events[0] for u in mine])
        found = {u.component for u in mine if u.events[0].event_id in positions}
        appended.stale -= found
        appended.recognised = {
            n: positions.get(u.events[0].event_id) if u.events else None
            for n, u in enumerate(batch.units)
            if u.component in found
        }

    async def _positions(self, call: _Call, events: list[Encoded]) -> dict[bytes, int]:
        """By event id, of what is stored in the places of these events. Tried until the call's deadline."""
        query = (
            f"SELECT e.event_id, e.notification_id FROM unnest(%s::uuid[], %s::bigint[]) AS w (id, version)"
            f" JOIN {self.context.name}.stored_events e ON e.originator_id = w.id AND e.originator_version = w.version"
        )
        while True:
            try:
                rows = await self._fetch(
                    query, [[e.event.originator_id for e in events], [e.event.originator_version for e in events]]
                )
                return {event_id.bytes: position for event_id, position in rows}
            except Unavailable:  # the pool may still hold connections that broke together with ours
                if call.answer.done():
                    raise
                await asyncio.sleep(0.05)

    async def reply(self, key: UUID) -> StoredReply | None:
        rows = await self._fetch(f"SELECT digest, body, first FROM {self.context.name}.replies WHERE key = %s", [key])
        return StoredReply(*rows[0]) if rows else None

    def kept(self, state: Any) -> None:
        self.snapshots.written(state)

    # -- loading

    async def load(self, known: Mapping[UUID, Any]) -> dict[UUID, Any]:
        states = dict(known)
        lengths: Counter[UUID] = Counter()
        due = list(known)
        while due:
            read = await self._load_more(states, due)
            lengths.update(read)
            due = [id for id, length in read.items() if length == STEP]
        for id, length in lengths.items():
            if known[id] is None:
                self.snapshots.loaded(states[id], length)
            else:
                self.snapshots.written(states[id])  # `length` says nothing about how far the last snapshot is
        return states

    async def _load_more(self, states: dict[UUID, Any], due: list[UUID]) -> Counter[UUID]:
        """Takes these states further, each by at most STEP events; how many there were."""
        versions = [0 if (state := states[id]) is None else state.version for id in due]
        rows = await self._fetch(self._load, [due, versions, self.snapshots.topics])
        for kind, id, _, topic, stored in rows:
            if kind == 0:
                states[id] = self.snapshots.open(topic, stored)
        read: Counter[UUID] = Counter()
        for event in await self._decoded(row[1:] for row in rows if row[0] == 1):
            id = event.originator_id
            states[id] = self.context.evolve(states.get(id), event)
            read[id] += 1
        return read

    async def _decoded(self, rows: Iterable[Sequence[Any]]) -> list[Event]:
        """Events of (id, version, topic, state) rows."""
        rows = list(rows)
        try:
            return [self._mapper.decode(*row) for row in rows]
        except KeyNotLoaded:
            await self._prefetch({owner for row in rows if (owner := owner_of(row[3]))})
            return [self._mapper.decode(*row) for row in rows]

    async def _fetch(self, query: str, params: Sequence[Any]) -> list[Any]:
        """Only reads. Tried twice: after a restart of the server the pool's connections are dead until used."""
        with suppress(psycopg.OperationalError):
            return await self._fetch_once(query, params)
        try:
            await self._pool.check()
            return await self._fetch_once(query, params)
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise Unavailable(str(error)) from error

    async def _fetch_once(self, query: str, params: Sequence[Any]) -> list[Any]:
        async with self._pool.connection() as connection:
            cursor = connection.cursor(binary=True)
            await cursor.execute(query, params)
            return await cursor.fetchall()
