"""The call of the append function: its parameters and its answer, in PostgreSQL's binary form."""

from __future__ import annotations

import struct
from typing import Final
from uuid import UUID

from psycopg import pq

from commands.log import Appended, Batch, StoredReply
from infra.event_log import arrays

TYPES: Final = [
    *(arrays.ARRAY_OF[t] for t in (arrays.INT4, arrays.UUID_OID, arrays.INT8)),
    *(arrays.ARRAY_OF[t] for t in (arrays.INT4, arrays.UUID_OID, arrays.INT8, arrays.TEXT, arrays.BYTEA)),
    *(arrays.ARRAY_OF[t] for t in (arrays.UUID_OID, arrays.TEXT, arrays.UUID_OID, arrays.TEXT, arrays.TEXT)),
    *(arrays.ARRAY_OF[t] for t in (arrays.INT4, arrays.UUID_OID, arrays.BYTEA, arrays.BYTEA, arrays.INT4)),
    arrays.ARRAY_OF[arrays.TIMESTAMPTZ],
    arrays.BOOL,
]
FORMATS: Final = [pq.Format.BINARY] * len(TYPES)
SUMMARY, STALE, REPLY, NEWER, RELOAD = range(5)

Row = tuple[int, str, bytes]
"""Version, topic and state of an event that came back."""


def statement(schema: str) -> str:
    return f"SELECT * FROM {schema}.append({', '.join(f'${n + 1}' for n in range(len(TYPES)))})"


def params(batch: Batch) -> list[bytes | None]:
    reads = [(n, id, version) for n, read in enumerate(batch.reads) for id, version in read.items()]
    stored = [(unit.component, one) for unit in batch.units for one in unit.events]
    events = [one.event for _, one in stored]
    about = [unit.envelope for unit in batch.units for _ in unit.events]
    events_and_reads: list[bytes | None] = [
        arrays.int4s([r[0] for r in reads]),
        arrays.uuids([r[1] for r in reads]),
        arrays.int8s([r[2] for r in reads]),
        arrays.int4s([component for component, _ in stored]),
        arrays.uuids([e.originator_id for e in events]),
        arrays.int8s([e.originator_version for e in events]),
        arrays.texts([e.TOPIC for e in events]),
        arrays.byteas([one.state for _, one in stored]),
        arrays.uuid_bytes([one.event_id for _, one in stored]),
        arrays.texts([envelope.correlation_id for envelope in about]),
        arrays.uuids([envelope.causation_id for envelope in about]),
        arrays.texts([str(envelope.command.by) for envelope in about]),
        arrays.texts([envelope.traceparent for envelope in about]),
    ]
    return [*events_and_reads, *_replies(batch), b"\x01" if batch.still_waiting else b"\x00"]


_NO_REPLIES: Final[list[bytes | None]] = [
    arrays.int4s([]),
    arrays.uuids([]),
    arrays.byteas([]),
    arrays.byteas([]),
    arrays.int4s([]),
    arrays.timestamps([]),
]


def _replies(batch: Batch) -> list[bytes | None]:
    keyed, count = [], 0
    for unit in batch.units:
        if unit.reply is not None:
            keyed.append((unit.component, unit.reply, count + 1 if unit.events else None))
        count += len(unit.events)
    if not keyed:
        return _NO_REPLIES
    return [
        arrays.int4s([component for component, _, _ in keyed]),
        arrays.uuids([r.key for _, r, _ in keyed]),
        arrays.byteas([r.digest for _, r, _ in keyed]),
        arrays.byteas([r.body for _, r, _ in keyed]),
        arrays.int4s([first for _, _, first in keyed]),
        arrays.timestamps([r.keep_until for _, r, _ in keyed]),
    ]


_LONG = struct.Struct("!q")
_INT = struct.Struct("!i")


def long(value: bytes | None) -> int:
    return 0 if value is None else int(_LONG.unpack(value)[0])


def integer(value: bytes | None) -> int:
    return 0 if value is None else int(_INT.unpack(value)[0])


def read(result: pq.abc.PGresult) -> tuple[Appended, dict[UUID, list[Row]]]:
    """The rows of `append_row`, but for the events, which are still to be decoded: (version, topic, state)."""
    value = result.get_value
    appended = Appended(first=[], contended=long(value(0, 3)) == 1)
    newer: dict[UUID, list[Row]] = {}
    stale = set()
    for row in range(1, result.ntuples):
        kind = integer(value(row, 0))
        if kind == STALE:
            stale.add(integer(value(row, 1)))
            continue
        id = UUID(bytes=value(row, 2))
        if kind == REPLY:
            first = value(row, 7)
            appended.replies[id] = StoredReply(
                value(row, 6) or b"", value(row, 5) or b"", None if first is None else long(first)
            )
        elif kind == NEWER:
            newer.setdefault(id, []).append(
                (long(value(row, 3)), (value(row, 4) or b"").decode(), value(row, 5) or b"")
            )
        else:
            appended.reload.add(id)
    appended.stale = frozenset(stale)
    return appended, newer


def place(batch: Batch, appended: Appended, head: int) -> None:
    """Works out the first position of each unit, as the function gave them: one after another, in order."""
    position = head + 1
    for n, unit in enumerate(batch.units):
        if n in appended.recognised:
            appended.first.append(appended.recognised[n])
        elif unit.component in appended.stale or not unit.events:
            appended.first.append(None)
        else:
            appended.first.append(position)
            position += len(unit.events)
