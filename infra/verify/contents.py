"""The rows of a table against what their streams fold to, column by column; values are never shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection, sql
from pydantic import TypeAdapter

from domain.ids import SLICES
from infra.event_log.reader import COLUMNS, Decoder, Stored
from infra.verify.expected import topics_of
from infra.verify.finding import Code, Finding
from infra.verify.log import chunks
from projections.checkpoint import Checkpoint
from projections.folding import Folding
from projections.generations import Generation
from projections.model import Model, Projector

STREAMS: Final = 500  # folded together

# Rows at another version were named already.
COMPARED: Final = """
SELECT DISTINCT e.stream FROM expected e JOIN {rows} r ON r.id = e.id AND r.version = e.version
WHERE e.stream > %s AND NOT EXISTS (
    SELECT FROM projections.parked p WHERE p.consumer = %s AND p.context = %s AND p.sequence = e.stream
)
ORDER BY e.stream LIMIT %s
"""

EVENTS: Final = f"""
SELECT {COLUMNS}
FROM {{schema}}.stored_events e
WHERE originator_id = ANY (%s) AND topic = ANY (%s)
    AND notification_id <= (%s::bigint[])[1 + {{schema}}.chobo_slice(originator_id)]
ORDER BY notification_id
"""


class Contents:
    def __init__(
        self,
        connection: AsyncConnection[Any],
        generation: Generation,
        model: Model,
        projector: Projector[Any],
        decoder: Decoder,
    ) -> None:
        self._connection = connection
        self._generation = generation
        self._only = Model(model.name, model.contexts, (projector,))
        self._projector = projector
        self._decoder = decoder
        self._rows = sql.Identifier(generation.schema, projector.table.name)
        self._codec: TypeAdapter[list[Any]] = TypeAdapter(list[projector.table.row])  # type: ignore[name-defined]

    async def differing(self, log: AsyncConnection[Any], context: str, upto: Checkpoint) -> AsyncIterator[Finding]:
        """Of the streams in the table `expected`, so many at a time."""
        if not (topics := topics_of(self._projector, context)):
            return
        after = UUID(int=0)
        while streams := await self._after(after, context):
            params = [streams, topics, [upto.of(slice) for slice in range(SLICES)]]
            folded, failed = await self._folded(log, context, params)
            for stream, reason in failed.items():
                yield self._finding(Code.CANNOT_FOLD, f"this release cannot fold it: {reason}", stream, None)
            stored = await self._projector.table.load(self._connection, self._generation.schema, folded)
            for id, (stream, row) in folded.items():
                if stream not in failed and id in stored and (columns := self._unlike(row, stored[id])):
                    detail = f"row {id} differs from its stream in {', '.join(columns)}"
                    yield self._finding(Code.ROW_DIFFERS, detail, stream, id)
            after = streams[-1]

    async def _after(self, stream: UUID, context: str) -> list[UUID]:
        query = sql.SQL(COMPARED).format(rows=self._rows)
        cursor = await self._connection.execute(query, [stream, self._generation.name, context, STREAMS])
        return [id for (id,) in await cursor.fetchall()]

    async def _folded(
        self, log: AsyncConnection[Any], context: str, params: Sequence[Any]
    ) -> tuple[dict[UUID, tuple[UUID, Any]], dict[UUID, str]]:
        """The rows of these streams as they must be, each with its stream; and the streams that fail, and why."""
        rows: dict[UUID, Any] = {}
        failed: dict[UUID, str] = {}
        streams: dict[UUID, UUID] = {}
        async for some in chunks(log, EVENTS.format(schema=context), params):
            batch = await self._decoder.decoded([Stored._make(row) for row in some])
            folding = Folding(self._only, batch)
            folding.stored[self._projector] = rows
            for recorded in batch:
                if recorded.event.originator_id in failed:
                    continue
                try:
                    folding.fold(recorded)
                except Exception as error:  # noqa: BLE001  # whatever a projector raises, the stream is named
                    failed[recorded.event.originator_id] = type(error).__name__
                    continue
                if (key := self._projector.key_of(recorded.event)) is not None:
                    streams[key] = recorded.event.originator_id
            rows = rows | folding.changed[self._projector]
        return {id: (streams[id], row) for id, row in rows.items()}, failed

    def _unlike(self, folded: Any, stored: Any) -> list[str]:
        """The columns that differ, once both were written and read."""
        if folded.version != stored.version or folded == stored:
            return []
        (again,) = self._codec.validate_json(self._codec.dump_json([folded]))
        return [f.name for f in fields(stored) if getattr(again, f.name) != getattr(stored, f.name)]

    def _finding(self, code: Code, detail: str, stream: UUID, row: UUID | None) -> Finding:
        place = f"{self._generation.name}/{self._projector.table.name}"
        return Finding(code, place, detail, stream, row=row)
