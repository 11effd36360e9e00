"""A context's topic as a consumer's feed. What the topic does not bring, or no longer has, is read from the log.

Workers of one consumer share the partitions. Each moves only slices: those of what its partitions brought it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Final, Self
from uuid import UUID

from infra.event_log.log import Pool
from infra.event_log.reader import LogReader
from infra.kafka.inbox import Inbox
from infra.kafka.message import Message
from infra.kafka.published import Published, published
from infra.kafka.subscription import BrokerAway, Place, Subscription
from infra.kafka.topics import Topics
from projections.checkpoint import Checkpoint
from projections.feed import Batch, Recorded

LOOK: Final = 3.0  # seconds between comparisons of the checkpoint with what the relay says
COMMIT: Final = 1.0  # seconds between commits of offsets
ROOM: Final = 5_000  # messages held before no more are fetched
ROOM_BYTES: Final = 32 * 1024 * 1024


class NotInLog(Exception):
    """The topic knows of events that the log does not have."""


class KafkaFeed:
    """Use as an async context manager: it is a member of the consumer's group as long as it is open.

    `from_topic` and `from_log` count the events it has handed over, by where they came from.
    """

    def __init__(self, topics: Topics, pool: Pool, reader: LogReader, consumer: str, *, look: float = LOOK) -> None:
        self._pool = pool
        self._reader = reader
        self._look_after = look
        group = f"{topics.name(reader.context)}.{consumer}"
        self._subscription = Subscription(topics, reader.context, group, self._received, self._revoked)
        self._inbox = Inbox()
        self._new: list[Message] = []
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._log: tuple[UUID, int] | None = None
        self._past: set[UUID] = set()  # incarnations that the log had before
        self._looked = float("-inf")
        self._seen: Mapping[int, int] = {}  # what the relay had published at the last look
        self._missing: dict[int, int] = {}
        self._places: Mapping[int, Place] = {}  # where the partitions were at the last look
        self._committed = 0.0
        self._closed = False
        self.from_topic = 0
        self.from_log = 0

    @property
    def context(self) -> str:
        return self._reader.context

    @property
    def partitions(self) -> frozenset[int]:
        """Those of this worker."""
        return self._subscription.mine()

    async def __aenter__(self) -> Self:
        await self._subscription.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        self._room.set()
        await self._commit()
        await self._subscription.__aexit__()

    async def head(self) -> tuple[UUID, int]:
        self._log = await self._reader.head()
        return self._log

    async def read(self, checkpoint: Checkpoint, limit: int) -> Batch:
        """Raises BrokerAway, and what LogReader does."""
        self._news.clear()
        await self._take_in(checkpoint)
        if time.monotonic() > self._looked + self._look_after:
            await self._look(checkpoint)
        incarnation, head = self._log or await self.head()
        if incarnation != checkpoint.incarnation:
            return Batch([], incarnation, head, checkpoint.floor)
        gaps = self._gaps(checkpoint)
        batch = await self._from_log(checkpoint, gaps, limit) if gaps else await self._from_topic(checkpoint, limit)
        if batch.recorded or batch.slices:
            self._news.set()  # there may be more
        return batch

    async def wait(self, checkpoint: Checkpoint, timeout: float) -> None:
        look = self._looked + self._look_after - time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(timeout, look))):
                await self._news.wait()

    # -- what the topic brings

    async def _received(self, messages: Sequence[Message]) -> None:
        self._new.extend(messages)
        self._news.set()
        self._room.clear()
        full = len(self._new) + self._inbox.held >= ROOM or self._inbox.bytes >= ROOM_BYTES
        if full and not self._closed:
            await self._room.wait()

    async def _revoked(self, partitions: Collection[int]) -> None:
        await self._commit()
        self._new = [message for message in self._new if message.partition not in partitions]
        self._inbox.forget(partitions)
        self._seen, self._missing, self._places = {}, {}, {}
        self._room.set()

    async def _take_in(self, checkpoint: Checkpoint) -> None:
        """Sorts what has come; asks the log about every incarnation that is met for the first time."""
        messages, self._new = self._new, []
        strangers = self._inbox.put(messages, checkpoint) - self._past
        if strangers:
            incarnation, _ = await self.head()
            self._past |= strangers - {incarnation}
        self._inbox.settle(checkpoint)
        if self._has_room():
            self._room.set()
        if time.monotonic() > self._committed + COMMIT:
            await self._commit()

    async def _commit(self) -> None:
        self._committed = time.monotonic()
        if offsets := self._inbox.offsets():
            await self._subscription.commit(offsets)

    async def _from_topic(self, checkpoint: Checkpoint, limit: int) -> Batch:
        taken = self._inbox.take(checkpoint, limit)
        recorded = await self._reader.decoded([event for _, event in taken])
        self.from_topic += len(recorded)
        return await self._batch(checkpoint, recorded, {slice: event.position for slice, event in taken})

    # -- what the log must be asked for

    def _gaps(self, checkpoint: Checkpoint) -> dict[int, int]:
        missing = {slice: upto for slice, upto in self._missing.items() if upto > checkpoint.of(slice)}
        return missing | self._inbox.gaps(checkpoint)

    async def _from_log(self, checkpoint: Checkpoint, gaps: Mapping[int, int], limit: int) -> Batch:
        after, upto = {slice: checkpoint.of(slice) for slice in gaps}, max(gaps.values())
        found = await self._reader.read_slices(after, limit, upto)
        self._log = found.incarnation, found.head
        self._require_in_log(upto, found.head)
        self.from_log += len(found.events)
        moved = {slice: found.upto for slice in gaps if found.upto > after[slice]}
        return await self._batch(checkpoint, found.events, moved)

    def _require_in_log(self, position: int, head: int) -> None:
        if head < position:
            raise NotInLog(
                f"the topic of {self.context} knows of position {position}, the log ends at {head}:"
                " it was cut or restored; `chobo log new-incarnation` says so to everybody"
            )

    async def _look(self, checkpoint: Checkpoint) -> None:
        """Finds what is on the topic according to the relay, and did not come though nothing else is coming.

        So it is when a topic was emptied, cannot be read though it is there, or committed offsets are ahead of the
        checkpoint. Raises BrokerAway.
        """
        said = await published(self._pool, self.context)
        self._log = said.log, said.head
        try:
            assigned = await self._subscription.assigned()
        except BrokerAway:
            if self._inbox.take(checkpoint, 1):
                return
            raise
        mine = {slice for slice in self._seen if self._is_read(slice, assigned) and not self._inbox.has(slice)}
        self._missing = {slice: self._seen[slice] for slice in mine if self._seen[slice] > checkpoint.of(slice)}
        self._seen = lasts_of(said, checkpoint)
        self._places = assigned
        self._looked = time.monotonic()

    def _is_read(self, slice: int, assigned: Mapping[int, Place]) -> bool:
        """Whether nothing more is coming: all of its partition is here, or none came since the last look."""
        partitions = self._subscription.partitions()
        place = assigned.get(slice % partitions) if partitions else None
        if place is None or self._new:
            return False
        before = self._places.get(slice % partitions)
        stands = before is not None and before.next == place.next and self._has_room()
        return stands or place.next >= place.end

    def _has_room(self) -> bool:
        return self._inbox.held < ROOM and self._inbox.bytes < ROOM_BYTES

    async def _batch(self, checkpoint: Checkpoint, recorded: Sequence[Recorded], moved: Mapping[int, int]) -> Batch:
        incarnation, head = self._log or await self.head()
        furthest = max(checkpoint.furthest, max(moved.values(), default=0))
        if head < furthest:  # the log has grown since it was asked
            incarnation, head = await self.head()
            self._require_in_log(max(moved.values(), default=0), head)
        return Batch(recorded, incarnation, head, checkpoint.floor, moved)


def lasts_of(said: Published, checkpoint: Checkpoint) -> Mapping[int, int]:
    """Nothing while the relay has not taken note of a new incarnation."""
    return said.lasts if said.is_of_the_log and said.log == checkpoint.incarnation else {}
