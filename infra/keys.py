"""Personal-data keys: one for each user, wrapped by the master key; destroying one erases what it sealed, everywhere.

A key is 32 random bytes for AES-256-GCM. It is wrapped by AES-GCM too, with the user's id as additional data, so that
rows cannot be exchanged for one another. Only a destroyed key reads as None; unknown and unreachable ones are errors.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from commands.log import Unavailable
from infra.event_log import fence

SQL: Final = Path(__file__).with_name("keys.sql")
MIGRATION_LOCK: Final = 0x63686F626F6B  # "chobok": one process at a time runs keys.sql
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12

KEEP: Final = 60.0  # seconds: no key outlives its destruction elsewhere by more
SWEEP: Final = 10.0  # seconds between looks for cached keys that are too old
EVERY: Final = 86_400.0  # seconds between looks for keys that nobody uses
FRESH: Final = 40.0  # seconds: younger ones are not fetched again; the rest is the time to use what was prefetched

CREATE: Final = """
INSERT INTO users.keys AS k (user_id, wrapped) VALUES (%s, %s)
ON CONFLICT (user_id) DO UPDATE SET created_at = now() WHERE k.wrapped IS NOT NULL
"""
DESTROY: Final = """
INSERT INTO users.keys AS k (user_id, destroyed_at) VALUES (%s, now())
ON CONFLICT (user_id) DO UPDATE SET wrapped = NULL, destroyed_at = coalesce(k.destroyed_at, now())
RETURNING destroyed_at
"""
# Where users have moved elsewhere, with the message of the fence. One row at least, so that this is always seen.
FETCH: Final = """
SELECT k.user_id, k.wrapped,
    (SELECT tgargs FROM pg_trigger WHERE tgname = 'fence' AND tgrelid = 'users.keys'::regclass)
FROM (SELECT) AS once LEFT JOIN users.keys k ON k.user_id = ANY(%s)
"""
# Whoever registers now has made the key young again, so that it is not taken away before the first event.
DROP_ORPHANS: Final = """
DELETE FROM users.keys k WHERE wrapped IS NOT NULL AND created_at < now() - interval '1 day'
    AND NOT EXISTS (SELECT FROM users.stored_events e WHERE e.originator_id = k.user_id)
"""

Pool = AsyncConnectionPool[AsyncConnection[Any]]


log = logging.getLogger(__name__)


class KeyNotLoaded(Exception):
    """The owner's key is not at hand. `prefetch` brings it."""

    def __init__(self, owner: UUID) -> None:
        super().__init__(f"the personal-data key of {owner} is not loaded: prefetch it first")
        self.owner = owner


class UnknownKey(Exception):
    """There never was a key for these users."""

    def __init__(self, owners: Iterable[UUID]) -> None:
        self.owners = frozenset(owners)
        super().__init__(f"no personal-data key for {', '.join(map(str, sorted(self.owners)))}")


class WrongMasterKey(Exception):
    def __init__(self, owner: UUID) -> None:
        super().__init__(f"the personal-data key of {owner} was not wrapped under this CHOBO_MASTER_KEY")
        self.owner = owner


class PersonalKeys:
    """The keys in the users database, with a short-lived cache.

    `create`, `destroy` and `prefetch` ask the database; `get` is synchronous and answers from the cache alone.
    """

    def __init__(self, pool: Pool, master: bytes, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`master`: 16, 24 or 32 bytes."""
        self._pool = pool
        self._master = AESGCM(master)
        self._clock = clock
        self._cache: dict[UUID, tuple[bytes, float]] = {}
        self._next_sweep = 0.0
        self._destroyed: set[UUID] = set()  # for ever, so that no late answer brings a key back

    async def create(self, user_id: UUID) -> None:
        """Makes the user's key. When there is one, it counts as young again; when there was one, nothing is done."""
        with fence.unavailable():
            async with self._pool.connection() as connection:
                await connection.execute(CREATE, (user_id, self._wrap(user_id, os.urandom(KEY_BYTES))))

    async def destroy(self, user_id: UUID) -> datetime:
        """Destroys the user's key for ever; here at once, in other processes within 60 s. When that was, at first."""
        with fence.unavailable():
            async with self._pool.connection() as connection:
                row = await (await connection.execute(DESTROY, (user_id,))).fetchone()
        self._destroyed.add(user_id)
        self._cache.pop(user_id, None)
        assert row is not None
        destroyed_at: datetime = row[0]
        return destroyed_at

    async def drop_orphans(self) -> int:
        """Deletes the keys of those who asked to be registered more than a day ago and were not. How many it were."""
        async with self._pool.connection() as connection:
            return (await connection.execute(DROP_ORPHANS)).rowcount

    async def prefetch(self, owners: Iterable[UUID]) -> None:
        """Brings the keys of these users to hand. Raises UnknownKey, WrongMasterKey, Unavailable, psycopg.Error."""
        now = self._clock()
        missing = {owner for owner in owners if not self._at_hand(owner, now, FRESH)}
        if not missing:
            return
        rows = await self._fetch(missing)
        self._sweep(now)
        for owner, wrapped in rows.items():
            self._keep(owner, wrapped, now)
        if unknown := missing - rows.keys():
            raise UnknownKey(unknown)

    def get(self, owner: UUID) -> bytes | None:
        """The user's key, None once it is destroyed. Raises KeyNotLoaded."""
        if owner in self._destroyed:
            return None
        if not self._at_hand(owner, self._clock(), KEEP):
            raise KeyNotLoaded(owner)
        return self._cache[owner][0]

    def _at_hand(self, owner: UUID, now: float, for_seconds: float) -> bool:
        if owner in self._destroyed:
            return True
        cached = self._cache.get(owner)
        return cached is not None and now - cached[1] < for_seconds

    async def _fetch(self, owners: set[UUID]) -> dict[UUID, bytes | None]:
        """Raises Unavailable where users have moved to another database: keys are destroyed there, and not here."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(FETCH, (list(owners),))).fetchall()
        if (fenced := rows[0][2]) is not None:
            raise Unavailable(fence.message_in(fenced))
        return {owner: wrapped for owner, wrapped, _ in rows if owner is not None}

    def _keep(self, owner: UUID, wrapped: bytes | None, now: float) -> None:
        """`now` is from before the question was asked: a key destroyed since then is still gone in time."""
        if wrapped is None:
            self._destroyed.add(owner)
            self._cache.pop(owner, None)
        elif owner not in self._destroyed:
            self._cache[owner] = (self._unwrap(owner, wrapped), now)

    def _sweep(self, now: float) -> None:
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP
        self._cache = {owner: entry for owner, entry in self._cache.items() if now - entry[1] < KEEP}

    def _wrap(self, owner: UUID, key: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, key, owner.bytes)

    def _unwrap(self, owner: UUID, wrapped: bytes) -> bytes:
        return unwrapped(self._master, owner, wrapped)


def unwrapped(master: AESGCM, owner: UUID, wrapped: bytes) -> bytes:
    """The key of a user from its stored form. Raises WrongMasterKey."""
    try:
        return master.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], owner.bytes)
    except Exception as error:
        raise WrongMasterKey(owner) from error


async def keep_dropping_orphans(keys: PersonalKeys) -> None:
    """Until cancelled. Any number of processes may do it."""
    while True:
        try:
            if dropped := await keys.drop_orphans():
                log.info("%d keys of registrations that were refused are gone", dropped)
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("keys of refused registrations are not dropped: %s", error)
        await asyncio.sleep(EVERY)


async def migrate_keys(connection: AsyncConnection[Any]) -> None:
    """Creates `users.keys` in the users database; several processes may do so at once."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        await connection.execute(SQL.read_bytes())


class NoKeys:
    """Opens nothing."""

    def get(self, owner: UUID) -> bytes | None:
        return None

    async def prefetch(self, owners: Iterable[UUID]) -> None:
        pass
