"""Repairs read models where that is safe: rows folded again from their stream while the consumer is held off them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from domain.ids import slice_of
from infra.event_log.reader import LogReader
from infra.verify.finding import Code, Finding
from infra.verify.totals import recomputed
from projections.checkpoint import Checkpoint, Checkpoints, Fenced
from projections.feed import Recorded
from projections.folding import Folding
from projections.generations import Generation
from projections.model import Model, Projector, Sums
from projections.pool import Connection, Pool, connected
from projections.sums import Changes, add, without_zeros

ROWS: Final = frozenset({Code.ROW_MISSING, Code.ROW_SURPLUS, Code.ROW_BEHIND, Code.ROW_AHEAD, Code.ROW_DIFFERS})
STRETCH: Final = 1_000  # events of a stream folded at once

PARKED: Final = """
SELECT position FROM projections.parked WHERE consumer = %s AND context = ANY (%s) AND sequence = %s
"""

Rows = Mapping[UUID, Any]


class Mending:
    """Of one generation."""

    def __init__(self, pool: Pool, logs: Mapping[str, LogReader], model: Model, generation: Generation) -> None:
        self._pool = pool
        self._logs = logs
        self._model = model
        self._generation = generation
        self._done: set[tuple[str, UUID | None]] = set()

    async def mend(self, finding: Finding) -> bool:
        """Whether it is repaired now. Raises psycopg.Error, PoolTimeout."""
        table = finding.place.partition("/")[2]
        done = (table, finding.stream)
        if done in self._done:
            return True
        if finding.code is Code.SUM_DIFFERS:
            mended = await self._sums(next(sums for sums in self._model.sums if sums.table == table))
        elif finding.code in ROWS and finding.stream is not None and finding.row is not None:
            projector = next(p for p in self._model.projectors if p.table.name == table)
            mended = await self._rows(projector, finding.stream, finding.row)
        else:
            return False
        if mended:
            self._done.add(done)
        return mended

    async def _rows(self, projector: Projector[Any], stream: UUID, row: UUID) -> bool:
        """All rows of the stream anew; with the sums, in one transaction."""
        async with connected(self._pool) as connection:
            events = await self._events(connection, stream)
            if events is None or (not events and projector.keyed):
                return False  # nobody can say which stream a row of no event was a part of
            try:
                new = self._folded(projector, events)
            except Exception:  # noqa: BLE001  # what cannot be folded stays as it is, and is named
                return False
            old = await projector.table.load(connection, self._generation.schema, {row, *new})
            delete = sql.SQL("DELETE FROM {} WHERE id = ANY (%s)").format(
                sql.Identifier(self._generation.schema, projector.table.name)
            )
            await connection.execute(delete, [list(old)])
            await projector.table.save(connection, self._generation.schema, list(new.values()))
            for sums in self._model.sums:
                if projector in sums.adds:
                    await add(connection, self._generation.schema, sums, moved(sums, projector, old, new))
        return True

    async def _events(self, connection: Connection, stream: UUID) -> Sequence[Recorded] | None:
        """What the consumers have applied of the stream, from which they are now kept: of a parked one what is before
        the event that waits. None: they follow another log."""
        seen: dict[str, int] = {}
        for context in self._model.contexts:
            held = await self._held(connection, context, stream)
            if held is None:
                return None
            seen[context] = held.of(slice_of(stream))
        cursor = await connection.execute(PARKED, [self._generation.name, list(self._model.contexts), stream])
        parked = await cursor.fetchone()
        events: Sequence[Recorded] = ()
        for context, upto in seen.items():
            events = events or await self._logs[context].stream(stream, 0, min(upto, parked[0] - 1) if parked else upto)
        return events

    async def _held(self, connection: Connection, context: str, stream: UUID) -> Checkpoint | None:
        try:
            held = await Checkpoints(self._generation.name, context).lock_slice(connection, slice_of(stream))
        except Fenced:
            return None
        incarnation, _ = await self._logs[context].head()
        return held if held.incarnation == incarnation else None

    def _folded(self, projector: Projector[Any], events: Sequence[Recorded]) -> Rows:
        only = Model(self._model.name, self._model.contexts, (projector,))
        rows: dict[UUID, Any] = {}
        for n in range(0, len(events), STRETCH):
            folding = Folding(only, events[n : n + STRETCH])
            folding.stored[projector] = rows
            for recorded in events[n : n + STRETCH]:
                folding.fold(recorded)
            rows = rows | folding.changed[projector]
        return rows

    async def _sums(self, sums: Sums) -> bool:
        """From the rows, while every consumer of the generation waits."""
        async with connected(self._pool) as connection:
            for context in self._model.contexts:
                await Checkpoints(self._generation.name, context).lock_whole(connection)
            due = await recomputed(connection, self._generation, sums)
            table = sql.Identifier(self._generation.schema, sums.table)
            await connection.execute(sql.SQL("DELETE FROM {}").format(table))
            await add(connection, self._generation.schema, sums, due)
        return True


def moved(sums: Sums, projector: Projector[Any], old: Rows, new: Rows) -> Changes:
    """What the new rows add, less what the old ones did."""
    found: defaultdict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for key, columns in _added(sums, projector, new.values()):
        found[key].update(columns)
    for key, columns in _added(sums, projector, old.values()):
        found[key].subtract(columns)
    return {key: some for key, columns in found.items() if (some := without_zeros(columns))}


def _added(
    sums: Sums, projector: Projector[Any], rows: Iterable[Any]
) -> Iterable[tuple[tuple[Any, ...], Mapping[str, int]]]:
    for row in rows:
        yield from sums.adds[projector](row).items()
