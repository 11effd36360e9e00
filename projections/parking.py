"""Putting aside what a consumer cannot apply: the event's whole sequence waits, in the consumer's own transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg

from domain.ids import derive
from projections.feed import Recorded, Unreadable
from projections.folding import told
from projections.pool import Connection
from projections.sink import Sink, Writing

# What the database, or the codec before it, says of values. A missing table is not the event's fault.
REFUSED: Final = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded, ValueError)

PARK: Final = """
INSERT INTO projections.parked (id, consumer, context, sequence, slice, position, version, event_id, event_type,
    recorded_at, reason, fingerprint, waiting)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

WAIT: Final = """
UPDATE projections.parked AS p SET waiting = p.waiting + w.n
FROM unnest(%s::uuid[], %s::bigint[]) AS w (sequence, n)
WHERE (p.consumer, p.context, p.sequence) = (%s, %s, w.sequence)
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """An event that could not be applied, and why."""

    recorded: Recorded
    reason: str
    error: str  # the kind of it


class Parking:
    """What is parked of the sequences of a batch: what was found, and what the batch adds.

    What is `parked` must be looked up, and saved, while the checkpoint is held: or a retry could take a sequence out of
    the park between the two, without what is about to be put behind it.
    """

    def __init__(self, consumer: str, context: str, parked: Collection[UUID] = ()) -> None:
        self._key = (consumer, context)
        self._parked = frozenset(parked)
        self._failed: dict[UUID, Failure] = {}
        self._waiting: Counter[UUID] = Counter()

    @property
    def failed(self) -> Iterable[Failure]:
        return self._failed.values()

    def put_behind(self, batch: Iterable[Recorded]) -> list[Recorded]:
        """Counts what waits behind something parked, and gives the others."""
        others = []
        for recorded in batch:
            if self._waits(recorded):
                self._waiting[recorded.event.originator_id] += 1
            else:
                others.append(recorded)
        return others

    def fold(self, writing: Writing, batch: Iterable[Recorded]) -> None:
        """Folds what is not parked; what fails, and all that follows it in its sequence, waits."""
        for recorded in batch:
            if self._waits(recorded):
                self._waiting[recorded.event.originator_id] += 1
                continue
            try:
                writing.fold(recorded)
            except Exception as error:  # noqa: BLE001  # whatever is wrong with it, the event waits and is named
                self.park(recorded, error)

    def park(self, recorded: Recorded, error: Exception) -> None:
        self._failed[recorded.event.originator_id] = failure(recorded, error)

    def _waits(self, recorded: Recorded) -> bool:
        if not self._parked and not self._failed:
            return False
        sequence = recorded.event.originator_id
        return sequence in self._parked or sequence in self._failed

    def undone(self) -> Callable[[], None]:
        """What takes back all that comes from now on."""
        failed, waiting = self._failed.copy(), self._waiting.copy()

        def undo() -> None:
            self._failed, self._waiting = failed, waiting

        return undo

    async def save(self, connection: Connection) -> None:
        """For a pipeline."""
        for sequence, failed in self._failed.items():
            values = [parked_id(*self._key, sequence), *self._key, sequence, *event_columns(self._key[0], failed)]
            await connection.execute(PARK, [*values, self._waiting.pop(sequence, 0)])
        if self._waiting:
            arrays = [list(self._waiting), list(self._waiting.values())]
            await connection.execute(WAIT, [*arrays, *self._key])


async def write(connection: Connection, sink: Sink, batch: Sequence[Recorded], parking: Parking) -> None:
    """Writes events of which the database refuses some: in halves, down to the single ones, which are parked.

    The transaction is one; each half that goes well stays written while the other is tried. What waits is put behind
    before anything is loaded for it: were it refused then, it would be parked in the place of the one it waits for.
    """
    if not (batch := parking.put_behind(batch)):
        return
    undo = parking.undone()
    try:
        async with connection.transaction():
            await write_all(connection, sink, batch, parking)
    except REFUSED as error:
        undo()
        if len(batch) == 1:
            parking.park(batch[0], error)
            return
    else:
        return
    half = len(batch) // 2
    await write(connection, sink, batch[:half], parking)
    await write(connection, sink, batch[half:], parking)


async def write_all(connection: Connection, sink: Sink, batch: Sequence[Recorded], parking: Parking) -> None:
    writing = sink.begin(batch)
    async with connection.pipeline():
        await writing.load(connection)
    await writing.loaded()
    parking.fold(writing, batch)
    async with connection.pipeline():
        await writing.save(connection)


def failure(recorded: Recorded, error: Exception) -> Failure:
    """Without the values that the error is about: they may be personal."""
    event = recorded.event
    if isinstance(event, Unreadable):
        return Failure(recorded, event.reason, event.reason.partition(":")[0])
    return Failure(recorded, told(error), type(error).__name__)


def event_columns(consumer: str, failed: Failure) -> list[object]:
    """The columns slice to fingerprint."""
    recorded, event = failed.recorded, failed.recorded.event
    event_type = event.topic if isinstance(event, Unreadable) else event.TOPIC
    fingerprint = f"{failed.error} {consumer.partition('@')[0]} {event_type}"
    return [
        recorded.slice,
        recorded.position,
        event.originator_version,
        recorded.event_id,
        event_type,
        recorded.recorded_at,
        failed.reason,
        fingerprint,
    ]


def parked_id(consumer: str, context: str, sequence: UUID) -> UUID:
    return derive("parked", f"{consumer}/{context}/{sequence}")


def sequences(batch: Iterable[Recorded]) -> list[UUID]:
    """Of these events, each once."""
    ids = (recorded.event.originator_id for recorded in batch)
    return list({id.int: id for id in ids}.values())  # integers are compared faster
