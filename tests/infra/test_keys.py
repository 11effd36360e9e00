from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from infra.keys import KeyNotLoaded, PersonalKeys, UnknownKey, WrongMasterKey, migrate_keys

MASTER = bytes(range(32))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def pool(empty_database: str) -> AsyncIterator[AsyncConnectionPool[Any]]:
    async with AsyncConnectionPool(empty_database, min_size=1, max_size=4, timeout=0.5, open=False) as pool:
        async with pool.connection() as connection:
            for _ in range(2):
                await migrate_keys(connection)
        yield pool


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(pool: AsyncConnectionPool[Any], clock: Clock) -> PersonalKeys:
    return PersonalKeys(pool, MASTER, clock=clock)


@pytest.fixture
async def hana(keys: PersonalKeys) -> UUID:
    id = uuid4()
    await keys.create(id)
    return id


async def test_a_key_is_prefetched_and_then_at_hand(keys: PersonalKeys, hana: UUID) -> None:
    with pytest.raises(KeyNotLoaded):
        keys.get(hana)
    await keys.prefetch([hana])
    key = keys.get(hana)
    assert key is not None
    assert len(key) == 32


async def test_everybody_has_another_key_and_it_stays(
    keys: PersonalKeys, hana: UUID, pool: AsyncConnectionPool[Any]
) -> None:
    other = uuid4()
    await keys.create(other)
    await keys.prefetch([hana, other])
    assert keys.get(hana) != keys.get(other)
    await keys.create(hana)
    there = PersonalKeys(pool, MASTER)
    await there.prefetch([hana])
    assert there.get(hana) == keys.get(hana)


async def test_a_destroyed_key_is_none_here_at_once_and_for_ever(keys: PersonalKeys, hana: UUID) -> None:
    await keys.prefetch([hana])
    await keys.destroy(hana)
    assert keys.get(hana) is None
    await keys.create(hana)
    await keys.prefetch([hana])
    assert keys.get(hana) is None


async def test_another_process_forgets_a_destroyed_key_within_a_minute(
    keys: PersonalKeys, hana: UUID, pool: AsyncConnectionPool[Any], clock: Clock
) -> None:
    there = PersonalKeys(pool, MASTER, clock=clock)
    await there.prefetch([hana])
    await keys.destroy(hana)
    assert there.get(hana) is not None
    clock.now += 59
    assert there.get(hana) is not None
    clock.now += 1
    with pytest.raises(KeyNotLoaded):
        there.get(hana)
    await there.prefetch([hana])
    assert there.get(hana) is None


async def test_what_was_prefetched_is_at_hand_for_a_while(keys: PersonalKeys, hana: UUID, clock: Clock) -> None:
    await keys.prefetch([hana])
    clock.now += 45
    await keys.prefetch([hana])
    clock.now += 45
    assert keys.get(hana) is not None


async def test_a_destroyed_key_leaves_nothing_in_the_database(
    keys: PersonalKeys, hana: UUID, pool: AsyncConnectionPool[Any]
) -> None:
    await keys.destroy(hana)
    async with pool.connection() as connection:
        row = await (await connection.execute("SELECT wrapped, destroyed_at FROM users.keys")).fetchone()
    assert row is not None
    assert row[0] is None
    assert row[1] is not None


async def test_an_unknown_key_is_an_error_and_never_reads_as_destroyed(keys: PersonalKeys, hana: UUID) -> None:
    nobody = uuid4()
    with pytest.raises(UnknownKey) as error:
        await keys.prefetch([hana, nobody])
    assert error.value.owners == {nobody}
    with pytest.raises(KeyNotLoaded):
        keys.get(nobody)
    assert keys.get(hana) is not None


async def test_an_unreachable_database_is_an_error_and_never_reads_as_destroyed() -> None:
    async with AsyncConnectionPool("host=/nowhere", min_size=0, max_size=1, timeout=0.2, open=False) as away:
        keys = PersonalKeys(away, MASTER)
        with pytest.raises((PoolTimeout, psycopg.Error)):
            await keys.prefetch([uuid4()])


async def test_keys_are_stored_wrapped_and_bound_to_their_user(
    keys: PersonalKeys, hana: UUID, pool: AsyncConnectionPool[Any]
) -> None:
    eve = uuid4()
    await keys.create(eve)
    await keys.prefetch([hana])
    async with pool.connection() as connection:
        row = await (await connection.execute("SELECT wrapped FROM users.keys WHERE user_id = %s", [hana])).fetchone()
        assert row is not None
        assert (keys.get(hana) or b"-") not in row[0]
        await connection.execute("UPDATE users.keys SET wrapped = %s WHERE user_id = %s", [row[0], eve])
    with pytest.raises(WrongMasterKey):
        await keys.prefetch([eve])
    with pytest.raises(WrongMasterKey):
        await PersonalKeys(pool, bytes(32)).prefetch([hana])


async def test_a_key_is_destroyed_once_and_the_time_of_it_stays(keys: PersonalKeys, hana: UUID) -> None:
    assert await keys.destroy(hana) == await keys.destroy(hana)


async def test_a_user_without_a_key_gets_none_once_it_is_destroyed(keys: PersonalKeys) -> None:
    """As after a restore of a backup from before the user was registered."""
    unknown = uuid4()
    await keys.destroy(unknown)
    await keys.create(unknown)
    await keys.prefetch([unknown])
    assert keys.get(unknown) is None


async def test_keys_of_refused_registrations_are_dropped_after_a_day(
    keys: PersonalKeys, pool: AsyncConnectionPool[Any]
) -> None:
    refused, registered, trying, erased = (uuid4() for _ in range(4))
    for user in (refused, registered, trying, erased):
        await keys.create(user)
    await keys.destroy(erased)
    async with pool.connection() as connection:
        await connection.execute("CREATE TABLE users.stored_events (originator_id uuid)")
        await connection.execute("INSERT INTO users.stored_events VALUES (%s)", [registered])
        await connection.execute("UPDATE users.keys SET created_at = created_at - interval '25 hours'")
    await keys.create(trying)
    assert await keys.drop_orphans() == 1
    async with pool.connection() as connection:
        left = await (await connection.execute("SELECT user_id FROM users.keys")).fetchall()
    assert {id for (id,) in left} == {registered, trying, erased}
