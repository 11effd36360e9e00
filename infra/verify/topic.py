"""`chobo verify topic`: what is on a context's topic against its log, within the topic's retention."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from psycopg import AsyncConnection

from domain.ids import SLICES, slice_of
from infra.kafka.message import Message, Place, place
from infra.kafka.published import READ, Published, from_row
from infra.kafka.publisher import LEFT_IN_LOG
from infra.kafka.topics import admin
from infra.verify.finding import Code, Finding, Tally
from infra.verify.log import chunks, snapshot
from infra.verify.partitions import Partition, Run, Seen, floor, homes

AT_ONCE: Final = 2_000  # messages held in memory
PATIENCE: Final = 5_000  # ms for which a partition may say nothing before it is asked again
HELD: Final = 20
"""ms for which the broker holds a question that has no answer yet. The client asks on behind the end, where nothing
comes; until it has its answer the next partition waits."""

ROWS: Final = """
SELECT notification_id, originator_id, originator_version, topic, state, event_id
FROM {schema}.stored_events WHERE notification_id = ANY (%s)
"""
PREVIOUS: Final = """
SELECT coalesce((
    SELECT notification_id FROM {schema}.stored_events
    WHERE notification_id < %s AND {schema}.chobo_slice(originator_id) = %s ORDER BY notification_id DESC LIMIT 1
), 0)
"""
INCARNATIONS: Final = "SELECT id FROM {schema}.incarnation"
SLICES_OF: Final = """
SELECT notification_id, {schema}.chobo_slice(originator_id) FROM {schema}.stored_events
WHERE notification_id > %s AND notification_id <= %s ORDER BY notification_id
"""
LASTS: Final = """
SELECT {schema}.chobo_slice(originator_id), max(notification_id) FROM {schema}.stored_events
WHERE notification_id <= %s GROUP BY 1
"""

# The checkpoint is moved by compare-and-set: a relay at work notices, and begins again from here.
REWIND: Final = """
UPDATE {schema}.relay SET position = %(position)s, moved_at = clock_timestamp(), lasts = (
    SELECT array_agg(coalesce(last, 0) ORDER BY slice)
    FROM generate_series(0, 63) AS slice
    LEFT JOIN (
        SELECT {schema}.chobo_slice(originator_id) AS slice, max(notification_id) AS last
        FROM {schema}.stored_events WHERE notification_id <= %(position)s GROUP BY 1
    ) AS l USING (slice)
)
WHERE incarnation = %(incarnation)s AND position > %(position)s
"""


class TopicCheck:
    """One context's. With `repair` what is missing is sent once more by the relay; consumers know what they have."""

    def __init__(self, conninfo: str, context: str, bootstrap: str, topic: str, *, repair: bool = False) -> None:
        self.tally = Tally(topic)
        self._conninfo = conninfo
        self._context = context
        self._bootstrap = bootstrap
        self._topic = topic
        self._repair = repair
        self._seen = Seen()
        self._rewound: int | None = None

    async def findings(self) -> AsyncIterator[Finding]:
        """Raises KafkaError, psycopg.OperationalError."""
        async for finding in self._found():
            self.tally.add(finding)
            yield finding

    async def _found(self) -> AsyncIterator[Finding]:
        async with snapshot(self._conninfo) as log:
            published = from_row(await self._one(log, READ, []))
        if not published.is_of_the_log:
            yield self._finding(Code.INCARNATION, "the relay has not begun with the present incarnation of the log")
            return
        if published.position > published.head:
            detail = f"the relay has published {published.position}, the log ends at {published.head}: it was cut"
            yield self._finding(Code.CUT, detail)
            return
        # The topic after the relay's checkpoint, the log after the topic: each has what the one before it says.
        async with self._partitions() as (consumer, ends), snapshot(self._conninfo) as log:
            partitions: list[Partition] = []
            for finding in await self._wrong_lasts(log, published):
                yield await self._resent(finding, published.position, published)
            for one, end in ends.items():
                begins = (await consumer.beginning_offsets([one]))[one]
                partition = Partition(one.partition, len(ends), begins > 0)
                partitions.append(partition)
                async for finding in self._read(consumer, log, one, end, partition, published):
                    yield finding
            async for finding in self._missing(log, partitions, published):
                yield finding

    @asynccontextmanager
    async def _partitions(self) -> AsyncIterator[tuple[AIOKafkaConsumer, dict[TopicPartition, int]]]:
        """A consumer of no group, with the ends as they are now; no partition where there is no topic."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=HELD,
        )
        await consumer.start()
        try:
            partitions = [TopicPartition(self._topic, number) for number in range(await self._how_many())]
            yield consumer, await consumer.end_offsets(partitions) if partitions else {}
        finally:
            await consumer.stop()

    async def _how_many(self) -> int:
        async with admin(self._bootstrap) as client:
            if self._topic not in await client.list_topics():
                return 0
            (described,) = await client.describe_topics([self._topic])
            return len(described["partitions"])

    async def _wrong_lasts(self, log: AsyncConnection[Any], published: Published) -> list[Finding]:
        """What the relay would name as the event before the next one of each slice."""
        lasts = dict(await self._all(log, LASTS, [published.position]))
        told = "the relay holds {} for the last event of slice {} up to its checkpoint, which is {}"
        return [
            self._finding(Code.CHAIN_BROKEN, told.format(last, slice, lasts.get(slice, 0)))
            for slice, last in published.lasts.items()
            if last != lasts.get(slice, 0)
        ]

    async def _read(
        self,
        consumer: AIOKafkaConsumer,
        log: AsyncConnection[Any],
        one: TopicPartition,
        end: int,
        partition: Partition,
        published: Published,
    ) -> AsyncIterator[Finding]:
        others = {id for (id,) in await self._all(log, INCARNATIONS, [])} - {published.log}
        consumer.assign([one])  # alone: what is fetched of others meanwhile would be fetched again
        await consumer.seek_to_beginning(one)
        while await consumer.position(one) < end:
            fetched = await consumer.getmany(one, timeout_ms=PATIENCE, max_records=AT_ONCE)
            messages: Sequence[Message] = [m for m in fetched.get(one, []) if m.offset < end]
            async for finding in self._check(log, messages, partition, published, others):
                yield finding
        for finding in partition.late.values():
            yield finding

    async def _check(
        self,
        log: AsyncConnection[Any],
        messages: Sequence[Message],
        partition: Partition,
        published: Published,
        others: set[UUID],
    ) -> AsyncIterator[Finding]:
        self.tally.checked += len(messages)
        placed = [(message, place(dict(message.headers))) for message in messages]
        positions = [at.position for _, at in placed if at is not None and at.incarnation == published.log]
        rows = {row[0]: row[1:] for row in await self._all(log, ROWS, [positions])}
        for message, at in placed:
            if at is not None and at.incarnation in others:
                continue  # an earlier life of the log: consumers pass it over too
            if at is None or at.incarnation != published.log or at.position not in rows:
                yield self._at(Code.NOT_IN_LOG, message, at, "the log has no such event")
                continue
            for code, detail in unlike(message, at, rows[at.position], partition.of):
                yield self._at(code, message, at, detail)
            if detail := await self._out_of_chain(log, at, partition):
                yield self._at(Code.CHAIN_BROKEN, message, at, detail)
            if finding := self._in_order(message, at, partition):
                yield finding
            if partition.first is None:
                partition.first = at.position
            partition.last[at.slice] = max(at.position, partition.last.get(at.slice, 0))
            self._seen.add(at.position)

    def _in_order(self, message: Message, at: Place, partition: Partition) -> Finding | None:
        """A late one is held against the topic unless all that came before it comes again after it."""
        last = partition.last.get(at.slice, 0)
        if at.position < last and at.position not in self._seen:
            detail = f"it comes for the first time after {last} of the same slice"
            partition.late.setdefault(at.slice, self._at(Code.CHAIN_BROKEN, message, at, detail))
        if at.position >= last and (late := partition.late.pop(at.slice, None)):
            return replace(late, code=Code.SENT_AGAIN, detail=f"{late.detail}, which was sent again behind it")
        return None

    async def _out_of_chain(self, log: AsyncConnection[Any], at: Place, partition: Partition) -> str:
        """Whether it names another event before it than the log has there."""
        if at.previous == partition.last.get(at.slice):
            return ""
        (before,) = await self._one(log, PREVIOUS, [at.position, at.slice])
        return "" if at.previous == before else f"it names {at.previous} as the one before it, which is {before}"

    async def _missing(
        self, log: AsyncConnection[Any], partitions: Sequence[Partition], published: Published
    ) -> AsyncIterator[Finding]:
        """What the relay has published and no partition has any more, though it must have."""
        floors = [floor(slice, partitions, published.position) for slice in range(SLICES)]
        runs: dict[int, Run] = {}
        query = SLICES_OF.format(schema=self._context)
        async for rows in chunks(log, query, [min(floors), published.position]):
            for position, slice in rows:
                home = slice % max(1, len(partitions))
                if position > floors[slice] and position not in self._seen:
                    runs[home] = runs[home].longer(position) if home in runs else Run(position, position, 1)
                elif home in runs:
                    yield await self._lost(runs.pop(home), published)
        for run in runs.values():
            yield await self._lost(run, published)

    async def _lost(self, run: Run, published: Published) -> Finding:
        finding = self._finding(Code.NOT_IN_TOPIC, f"{run} of the log was published and is not there", run.first)
        return await self._resent(finding, run.first, published)

    async def _resent(self, finding: Finding, position: int, published: Published) -> Finding:
        """Leads the relay back to before this position, if that is asked for; all that follows goes with it."""
        if not self._repair:
            return finding
        if self._rewound is None or position <= self._rewound:
            await self._rewind(position - 1, published.incarnation)
            self._rewound = position - 1
        return replace(finding, repaired=True)

    async def _rewind(self, position: int, incarnation: UUID) -> None:
        async with await AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
            values = {"position": position, "incarnation": incarnation}
            await connection.execute(REWIND.format(schema=self._context).encode(), values)

    def _finding(self, code: Code, detail: str, position: int | None = None) -> Finding:
        return Finding(code, self._topic, detail, position=position)

    def _at(self, code: Code, message: Message, at: Place | None, detail: str) -> Finding:
        where = f"partition {message.partition} offset {message.offset}"
        return self._finding(code, f"{where}: {detail}", None if at is None else at.position)

    async def _all(self, log: AsyncConnection[Any], query: str, params: Sequence[Any]) -> list[Any]:
        cursor = await log.execute(query.format(schema=self._context).encode(), params, binary=True)
        return await cursor.fetchall()

    async def _one(self, log: AsyncConnection[Any], query: str, params: Sequence[Any]) -> Any:
        return (await self._all(log, query, params))[0]


def unlike(message: Message, at: Place, row: Sequence[Any], partitions: int) -> list[tuple[Code, str]]:
    """What of the message is not as the log has it."""
    stream, version, topic, state, event_id = row
    headers = dict(message.headers)
    found = []
    if LEFT_IN_LOG not in message.headers and message.value != bytes(state):
        found.append((Code.BYTES_DIFFER, "the value is not the stored state"))
    told = {"ce_subject": stream, "event-version": version, "ce_type": topic, "ce_id": event_id}
    if wrong := [name for name, value in told.items() if headers.get(name) != str(value).encode()]:
        found.append((Code.BYTES_DIFFER, f"the headers {', '.join(wrong)} are not the log's"))
    if at.slice != slice_of(stream) or message.key != str(stream).encode():
        found.append((Code.WRONG_PARTITION, f"key or slice are not those of stream {stream}"))
    elif message.partition not in homes(at.slice, partitions):
        found.append((Code.WRONG_PARTITION, f"slice {at.slice} does not belong there"))
    return found
