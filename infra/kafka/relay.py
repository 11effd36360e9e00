"""Publishes a context's log to its topic, in order of position. Of any number of relays one leads, the others stand by.

The checkpoint moves after the broker's acknowledgement, by compare-and-set. After a crash, or while a deposed leader
still sends, older stretches come again; consumers tell by the position before, which each message names.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from infra.event_log.migrations import lock_number
from infra.event_log.wakeups import Wakeups
from infra.kafka import published, unpublished
from infra.kafka.publisher import Acks, Publisher
from infra.kafka.topics import Topics

RELAY_LOCKS: Final = 0x63686F63  # 'choc': the first of the two numbers of every relay's advisory lock
STANDBY: Final = 1.0  # seconds between two looks whether there is a leader
POLL: Final = 1.0  # seconds; a net under the wake-ups, and how soon a lost connection is noticed
AHEAD: Final = 4  # chunks that are sent and not acknowledged
ACKNOWLEDGED_WITHIN: Final = 30.0  # seconds; then everything since the checkpoint is sent again
DATABASE_WITHIN: Final = 30.0  # seconds
STOPS_WITHIN: Final = 3.0  # seconds for what is on its way when the relay is told to stop
BACK_OFF: Final = (0.1, 2.0)  # seconds, doubling from the first to the second

LOCK: Final = "SELECT pg_try_advisory_lock(%s, %s)"
RESTART: Final = """
UPDATE {schema}.relay SET incarnation = %s, position = 0, lasts = DEFAULT, moved_at = clock_timestamp()
WHERE (incarnation, position) = (%s, %s)
"""
MOVE: Final = """
UPDATE {schema}.relay SET position = %s, lasts = %s::bigint[], moved_at = clock_timestamp()
WHERE (incarnation, position) = (%s, %s)
"""

log = logging.getLogger(__name__)

Connection = AsyncConnection[TupleRow]

Arrived = Callable[[str, Sequence[str], int], None]
"""Told of the traces whose events have arrived: context, their traceparents, when they were read (ns since 1970)."""


class Role(StrEnum):
    LEADER = "LEADER"
    STANDBY = "STANDBY"  # another relay leads
    WAITING = "WAITING"  # the broker or the database is away, or something is to be mended: `reason` says what


@dataclass(frozen=True, slots=True)
class Health:
    context: str
    role: Role
    reason: str | None
    published: int
    head: int

    @property
    def behind(self) -> int:
        """Events of the log that are not known to be on the topic."""
        return max(0, self.head - self.published)


class Deposed(Exception):
    """Another relay has moved the checkpoint."""


class NewIncarnation(Exception):
    """The log lives anew: its topic is filled from the beginning."""


class LogCut(Exception):
    def __init__(self, context: str, head: int, position: int) -> None:
        super().__init__(
            f"the log of {context} ends at {head}, the relay has published {position}: it was cut or restored;"
            " `chobo log new-incarnation` says so to everybody"
        )


@dataclass(slots=True)
class Sent:
    """A stretch of the log on its way, and where the checkpoint is once it has arrived."""

    acks: Acks
    position: int
    lasts: dict[int, int]
    traceparents: Sequence[str] = ()
    began: int = 0


class Relay:
    """`patience`: seconds for which an acknowledgement is waited for."""

    def __init__(
        self,
        conninfo: str,
        context: str,
        topics: Topics,
        wakeups: Wakeups,
        *,
        patience: float = ACKNOWLEDGED_WITHIN,
        arrived: Arrived | None = None,
    ) -> None:
        self.health = Health(context, Role.WAITING, "not started", 0, 0)
        self._conninfo = conninfo
        self._context = context
        self._topics = topics
        self._wakeups = wakeups
        self._patience = patience
        self._arrived = arrived
        self._pause = BACK_OFF[0]

    async def run(self) -> None:
        """Works until cancelled; whatever happens is told by `health`."""
        while True:
            try:
                async with await self._connect() as connection:
                    await self._lead(connection)
            except (Deposed, NewIncarnation) as change:
                log.info("relay of %s: %s", self._context, change.__doc__)
            except Exception as error:  # noqa: BLE001  # a relay ends only when it is told to
                self._fares(Role.WAITING, f"{type(error).__name__}: {error}")
                await asyncio.sleep(self._pause)
                self._pause = min(2 * self._pause, BACK_OFF[1])

    async def _connect(self) -> Connection:
        """Of its own: the lock of leadership lives as long as the session."""
        async with within(DATABASE_WITHIN, "the database did not answer"):
            return await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)

    async def _lead(self, connection: Connection) -> None:
        start = await self._stand_by(connection)
        topic = await self._topics.ensure(self._context)
        if not start.is_of_the_log:
            await self._moved(connection, RESTART, [start.log, start.incarnation, start.position])
            raise NewIncarnation
        async with Publisher(self._topics.bootstrap, topic) as publisher:
            await self._publish(connection, publisher, start)

    async def _stand_by(self, connection: Connection) -> published.Published:
        """Waits to be the leader; gives where the last one stood."""
        key = [RELAY_LOCKS, lock_number(self._context)]
        while True:
            async with within(DATABASE_WITHIN, "the database did not answer"):
                (leads,) = await (await connection.execute(LOCK, key)).fetchone() or (False,)
                found = await (await connection.execute(published.READ.format(schema=self._context))).fetchone()
            assert found is not None
            start = published.from_row(found)
            self.health = replace(self.health, published=start.position, head=start.head)
            if leads:
                return start
            self._fares(Role.STANDBY, None)
            await asyncio.sleep(STANDBY)

    async def _publish(self, connection: Connection, publisher: Publisher, start: published.Published) -> None:
        sent: asyncio.Queue[Sent | None] = asyncio.Queue(AHEAD)
        settling = asyncio.create_task(self._settle(connection, start, sent))
        sending = asyncio.create_task(self._send(connection, publisher, start, sent))
        try:
            await asyncio.wait({sending, settling}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await ended(sending)
            with suppress(TimeoutError):  # or else the next leader sends it again
                async with asyncio.timeout(STOPS_WITHIN):
                    await sent.put(None)
                    await asyncio.wait({settling})
            raise
        finally:
            await ended(sending, settling)
        for task in (sending, settling):
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def _send(
        self, connection: Connection, publisher: Publisher, start: published.Published, sent: asyncio.Queue[Sent | None]
    ) -> None:
        position, lasts = start.position, dict(start.lasts)
        while True:
            chunk = await self._read(connection, start.incarnation, position)
            if not chunk:
                self._fares_well()
                await self._wakeups.wait(self._context, position, POLL)
                continue
            began = time.time_ns()
            acks = await publisher.send(chunk.messages(lasts))
            position = chunk.last
            traced = chunk.traceparents() if self._arrived else ()
            await sent.put(Sent(acks, position, dict(lasts), traced, began))

    async def _read(self, connection: Connection, incarnation: UUID, position: int) -> unpublished.Chunk:
        async with within(DATABASE_WITHIN, "the database did not answer"):
            chunk = await unpublished.read(connection, self._context, position)
        if chunk.incarnation != incarnation:
            raise NewIncarnation
        if chunk.head < position:
            raise LogCut(self._context, chunk.head, position)
        self.health = replace(self.health, head=chunk.head)
        return chunk

    async def _settle(
        self, connection: Connection, start: published.Published, sent: asyncio.Queue[Sent | None]
    ) -> None:
        """Until there is None."""
        position = start.position
        while (arriving := await sent.get()) is not None:
            async with within(self._patience, "the broker did not acknowledge"):
                await asyncio.gather(*arriving.acks)
            values = [arriving.position, list(arriving.lasts.values()), start.incarnation, position]
            await self._moved(connection, MOVE, values)
            position = arriving.position
            if self._arrived:
                self._arrived(self._context, arriving.traceparents, arriving.began)
            self.health = replace(self.health, published=position)
            self._fares_well()

    async def _moved(self, connection: Connection, how: str, values: list[Any]) -> None:
        """Raises Deposed when the checkpoint is not where this relay left it."""
        async with within(DATABASE_WITHIN, "the database did not answer"):
            cursor = await connection.execute(how.format(schema=self._context), values)
        if cursor.rowcount != 1:
            raise Deposed

    def _fares_well(self) -> None:
        self._pause = BACK_OFF[0]
        self._fares(Role.LEADER, None)

    def _fares(self, role: Role, reason: str | None) -> None:
        if (role, reason) == (self.health.role, self.health.reason):
            return
        self.health = replace(self.health, role=role, reason=reason)
        level = logging.INFO if reason is None else logging.WARNING
        log.log(level, "relay of %s is %s: %s", self._context, role, reason or "well")


@asynccontextmanager
async def within(seconds: float, otherwise: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TimeoutError(f"{otherwise} within {seconds:.0f} s") from None


async def ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
