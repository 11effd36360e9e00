"""What is left of an erased user: nothing personal, anywhere, whoever was writing meanwhile; and a receipt for it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg_pool import AsyncConnectionPool

from domain.actor import Actor, Role
from domain.event import Event
from domain.users.events import ErasureCompleted, UserErased
from domain.users.values import Means
from infra.embedded import EmbeddedPostgres
from infra.embedded.programs import binary
from infra.erasing_again import erase_again, missing, not_cleared, unlisted
from infra.erasure import RULE, WAIT, WITHHELD, Sweeper, erase_user
from infra.erasure_list import ErasureList
from infra.event_log.mapper import EventMapper
from infra.event_log.migrations import migrate
from infra.event_log.reader import LogReader
from infra.event_log.store_feed import StoreFeed
from infra.event_log.wakeups import Wakeups
from infra.kafka.relay import Relay
from infra.kafka.topics import Topics
from infra.keys import KEEP, PersonalKeys
from infra.transfer.keys import export_keys
from infra.transfer.outgoing import export
from projections.alarm import Alarm
from projections.asking import TodoSink, begin
from projections.consumer import Consumer
from projections.doing import Later, Worker
from projections.generations import State, add
from projections.models import MODELS
from projections.orders.projector import ORDERS, orders
from projections.schema import prepare as prepare_reads
from projections.sink import ModelSink
from projections.todo import CHANNEL, Work
from projections.users.projector import USERS
from tests.commands.users.place import ADMIN, Place, place
from tests.commands.users.place import prepare as prepare_users
from tests.conftest import fresh_database
from tests.domain.orders.samples import CUSTOMER
from tests.eventually import until
from tests.infra.kafka.logs import is_done, messages, relaying
from tests.projections.stories import STORIES, mixed

ADA = Actor(CUSTOMER, frozenset({Role.CUSTOMER}))
WORDS = ("ada.lovelace@example.org", "Ada Lovelace", "12 St James Square", "SW1Y 4JH", "analytical engines")
ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 St James Square",
    "postalCode": "SW1Y 4JH",
    "city": "London",
    "country": "GB",
}
INSERT = """
INSERT INTO orders.stored_events (originator_id, originator_version, topic, state, notification_id, actor)
SELECT %s, %s, %s, %s, coalesce(max(notification_id), 0) + 1, 'anonymous' FROM orders.stored_events
"""


@dataclass
class Box:
    """Kept mails: so many to everybody."""

    mails: int
    forgotten: list[UUID] = field(default_factory=list)

    async def forget(self, user_id: UUID) -> int:
        self.forgotten.append(user_id)
        return self.mails


@dataclass
class Shop:
    """Users and orders with their read models, on one database."""

    here: Place
    database: str
    reads: AsyncConnectionPool[Any]
    wakeups: Wakeups

    @property
    def sweeper(self) -> Sweeper:
        return Sweeper(self.reads, {"users": self.here.pool, "orders": self.here.pool}, MODELS, topics=["chobo.users"])

    def feed(self, context: str) -> StoreFeed:
        return StoreFeed(LogReader(self.here.pool, context, self.here.keys), self.wakeups)

    async def append(self, events: Iterable[Event]) -> None:
        mapper = EventMapper(self.here.keys)
        await self.here.keys.prefetch([CUSTOMER])
        async with self.here.pool.connection() as connection:
            for event in events:
                stored = [event.originator_id, event.originator_version, event.TOPIC, mapper.encode(event)]
                await connection.execute(INSERT, stored)

    async def execute(self, query: str, *values: Any) -> list[Any]:
        async with self.reads.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def receipt(self) -> ErasureCompleted | None:
        events = await LogReader(self.here.pool, "users", self.here.keys).stream(CUSTOMER)
        return next((e.event for e in events if isinstance(e.event, ErasureCompleted)), None)

    async def has_receipt(self) -> bool:
        return await self.receipt() is not None

    def left(self) -> set[str]:
        """Which of the words a dump of the whole database shows, as text or in bytes."""
        text = dump(self.database).decode()
        return {word for word in WORDS if word in text or word.encode().hex() in text}


def dump(database: str) -> bytes:
    return subprocess.run([binary("pg_dump"), "--dbname", database], capture_output=True, check=True).stdout


def restore(dumped: bytes, database: str) -> None:
    command = [str(binary("psql")), "--quiet", "--dbname", database]
    subprocess.run(command, input=dumped, stdout=subprocess.DEVNULL, check=True)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def working(*works: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(work()) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@asynccontextmanager
async def restored(database: str) -> AsyncIterator[Shop]:
    """A process on this database."""
    async with place(database) as here, AsyncConnectionPool(database, min_size=2, max_size=12, open=False) as reads:
        yield Shop(here, database, reads, Wakeups(database, here.pool, ["users", "orders"]))


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Shop]:
    """Ada is registered and has ordered; her rows are in the read models."""
    await prepare_users(database)
    await migrate(database, ["orders", "payments", "operations", "products"])
    await prepare_reads(database, MODELS)
    async with restored(database) as shop:
        here, reads = shop.here, shop.reads
        await here.register("ada.lovelace@example.org", id=str(CUSTOMER))
        await here.post(f"/v1/users/{CUSTOMER}/add-address", {"address": ADDRESS}, by=ADA)
        await here.post(f"/v1/users/{CUSTOMER}/suspend", {"reason": "sells analytical engines"}, by=ADMIN)
        await shop.append(mixed([], STORIES))
        followed = [Consumer(ModelSink(model), shop.feed(model.name), reads) for model in (USERS, ORDERS)]
        async with working(*(consumer.run for consumer in followed)):
            await until(lambda: all(consumer.health.floor for consumer in followed))
            yield shop


@asynccontextmanager
async def erasing(shop: Shop, *, wait: float = 0.2, notes: Iterable[ErasureList] = ()) -> AsyncIterator[Worker]:
    """A to-do process, in which the cached keys are gone as soon as `wait` says."""
    kind = erase_user(shop.here.loop, shop.here.keys, shop.sweeper, notes, wait=wait)
    asking = Consumer(TodoSink("users", [RULE]), shop.feed("users"), shop.reads)
    worker = Worker(shop.reads, Alarm(shop.database, CHANNEL), [kind])
    async with working(asking.run, worker.run):
        yield worker


async def erase(shop: Shop) -> None:
    answer = await shop.here.post(f"/v1/users/{CUSTOMER}/erase", by=ADA)
    assert answer.status_code == 200, answer.text


async def test_nothing_personal_is_left_and_the_receipt_says_where_it_was_looked_for(shop: Shop) -> None:
    assert shop.left() == set(WORDS)
    async with shop.reads.connection() as connection:
        await add(connection, ORDERS, State.READY)
        await connection.execute("INSERT INTO orders_2.orders SELECT * FROM orders_1.orders")
    async with erasing(shop):
        await erase(shop)
        await until(shop.has_receipt)
    assert shop.left() == set()
    receipt = await shop.receipt()
    assert receipt is not None
    places = {place.name: place for place in receipt.places}
    assert {places[f"orders@{n}, table orders"].rows for n in (1, 2)} == {len(STORIES)}
    assert all(places[f"orders@{n}, table orders"].cleared for n in (1, 2))
    assert (places["users@1, table users"].rows, places["users@1, table users"].means) == (1, Means.CLEARED)
    sealed = {name for name, place in places.items() if place.means is Means.SEALED}
    assert sealed == {"log of users", "log of orders", "topic chobo.users", "exports of logs"}
    assert {"replies to commands", "snapshots of aggregates", "to-do"} <= set(places)


async def test_what_is_written_late_and_generations_made_meanwhile_are_cleared_too(shop: Shop) -> None:
    """As by a worker that has opened events while it had the key, such as a replay's."""
    stale = "UPDATE orders_1.orders SET note = 'analytical engines', address = '{}' WHERE status = 'PLACED'"
    async with erasing(shop, wait=1.0):
        await shop.execute("CREATE TABLE before AS SELECT * FROM orders_1.orders")
        await erase(shop)

        async def swept_once() -> bool:
            return shop.left() == {"12 St James Square", "Ada Lovelace", "SW1Y 4JH"}  # in the copy

        await until(swept_once)
        async with shop.reads.connection() as connection:
            await add(connection, ORDERS, State.BUILDING)
            await connection.execute("INSERT INTO orders_2.orders SELECT * FROM before")
            await connection.execute("DROP TABLE before")
            await connection.execute(stale.replace("'{}'", "address"))
        assert shop.left() != set()
        await until(shop.has_receipt)
    assert shop.left() == set()
    receipt = await shop.receipt()
    assert receipt is not None
    assert "orders@2, table orders" in {place.name for place in receipt.places}


async def test_a_replay_by_a_process_that_still_has_the_key_leaves_nothing_behind(shop: Shop) -> None:
    """It builds from events it could open a moment ago; when its key is too old, it reads erased ones."""
    clock = Clock()
    keys = PersonalKeys(shop.here.pool, bytes(32), clock=clock)
    await keys.prefetch([CUSTOMER])
    async with shop.reads.connection() as connection:
        await add(connection, ORDERS, State.BUILDING)
    feed = StoreFeed(LogReader(shop.here.pool, "orders", keys), shop.wakeups)
    replay = Consumer(ModelSink(ORDERS, 2), feed, shop.reads, limit=20)
    async with erasing(shop, wait=2.5):
        checkpoint = await replay.open()
        await erase(shop)
        await until(lambda: swept(shop, "orders_1"))
        for _ in range(2):
            checkpoint = await replay.step(checkpoint)
        assert shop.left() != set()
        clock.now += KEEP
        async with working(replay.run):
            await until(shop.has_receipt)
            await until(lambda: replay.health.behind == 0)
    assert shop.left() == set()
    async with shop.reads.connection() as connection:
        ids = [id for (id,) in await shop.execute("SELECT id FROM orders_1.orders")]
        rows = [await orders.table.load(connection, schema, ids) for schema in ("orders_1", "orders_2")]
    assert rows[0] == rows[1]


async def swept(shop: Shop, schema: str) -> bool:
    return await shop.execute(f"SELECT count(*) FROM {schema}.orders WHERE address IS NOT NULL") == [(0,)]


async def test_nothing_makes_the_wait_for_cached_keys_shorter(shop: Shop) -> None:
    """Neither an operator who says `retry` nor a clock that jumps, nor another worker that takes the row."""
    async with erasing(shop, wait=0.8):
        await erase(shop)

        async def waits() -> bool:
            rows = await shop.execute("SELECT data FROM projections.todo WHERE lease IS NULL")
            return bool(rows and rows[0][0])

        await until(waits)
        began = asyncio.get_running_loop().time()
        for _ in range(3):
            await shop.execute("UPDATE projections.todo SET due_at = now() WHERE lease IS NULL")
            await shop.execute("SELECT pg_notify(%s, '')", CHANNEL)
            await asyncio.sleep(0.1)
        assert not await shop.has_receipt()
        await until(shop.has_receipt)
        assert asyncio.get_running_loop().time() - began > 0.5
    other = erase_user(shop.here.loop, shop.here.keys, shop.sweeper).act
    row = Work(uuid4(), "erase-user", "users", CUSTOMER, {"swept": {}}, 1, 0, None, "", None, None, uuid4())
    said = await other.do(row)
    assert isinstance(said, Later)
    assert WAIT - 1 < said.seconds <= WAIT


async def test_why_something_was_parked_is_withheld(shop: Shop) -> None:
    """It may quote what could not be applied."""
    ids = [id for (id,) in await shop.execute("SELECT id FROM orders_1.orders WHERE address IS NOT NULL LIMIT 2")]
    await shop.execute("UPDATE orders.stored_events SET state = '{}' WHERE originator_id = %s", ids[1])
    for id in ids:
        await shop.execute(
            "INSERT INTO projections.parked (id, consumer, context, sequence, slice, position, version, event_id,"
            " event_type, recorded_at, reason, fingerprint) VALUES (%s, 'orders@1', 'orders', %s, 0, 1, 1, %s,"
            " 'orders.order-placed', now(), 'KeyError: 12 St James Square', 'f')",
            id, id, id,
        )  # fmt: skip
    async with erasing(shop):
        await erase(shop)
        await until(shop.has_receipt)
    found = dict(await shop.execute("SELECT sequence, reason FROM projections.parked"))
    other = "KeyError: 12 St James Square"  # nothing in its stream is sealed for her
    assert found == {ids[0]: WITHHELD, ids[1]: other}


async def test_nobody_else_is_touched(shop: Shop) -> None:
    bo = await shop.here.register("bo@example.org")

    async def emails() -> list[Any]:
        return [email for (email,) in await shop.execute("SELECT email FROM reads.users ORDER BY email")]

    async def followed() -> bool:
        return len(await emails()) == 2

    await until(followed)
    async with erasing(shop):
        await erase(shop)
        await until(shop.has_receipt)
    assert await emails() == ["bo@example.org", None]
    await shop.here.keys.prefetch([bo.id] if bo.id else [])


async def test_there_is_one_receipt_however_often_it_is_done(shop: Shop) -> None:
    async with erasing(shop):
        await erase(shop)
        await erase(shop)
        await until(shop.has_receipt)
        await shop.execute("UPDATE projections.todo SET status = 'OPEN', closed_at = NULL, data = '{}'")

        async def closed() -> bool:
            return await shop.execute("SELECT status FROM projections.todo") == [("DONE",)]

        await until(closed)
    events = await LogReader(shop.here.pool, "users", shop.here.keys).stream(CUSTOMER)
    assert [type(e.event) for e in events[-2:]] == [UserErased, ErasureCompleted]


async def test_a_restored_backup_forgets_whom_the_list_names_before_it_serves(
    shop: Shop, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    erasures = ErasureList(tmp_path / "erasures.jsonl")
    backup = dump(shop.database)
    async with erasing(shop, notes=[erasures]):
        await erase(shop)
        await until(shop.has_receipt)
    assert set(await erasures.read()) == {CUSTOMER}
    with fresh_database(postgres) as copy:
        restore(backup, copy)
        async with restored(copy) as again:
            assert again.left() == set(WORDS)
            listed = await erasures.read()
            found = await missing(again.here.pool, again.reads, listed)
            assert found == [CUSTOMER]
            await erase_again(found, again.here.loop, again.here.keys, again.sweeper)
            assert again.left() == set()
            assert await missing(again.here.pool, again.reads, listed) == []
            async with erasing(again):
                await until(again.has_receipt)


async def test_an_erasure_under_way_keeps_nobody_from_starting(shop: Shop, tmp_path: Path) -> None:
    """A process that may only read starts as long as the rows are cleared once and the rest is to be done."""
    erasures = ErasureList(tmp_path / "erasures.jsonl")
    async with erasing(shop, wait=60, notes=[erasures]):
        await erase(shop)

        async def listed() -> bool:
            return bool(await erasures.read())

        await until(listed)
        assert await not_cleared(shop.reads, await erasures.read()) == set()
    assert await missing(shop.here.pool, shop.reads, await erasures.read()) == []


async def test_a_read_database_older_than_the_log_is_cleared_as_well(shop: Shop) -> None:
    async with erasing(shop):
        await erase(shop)
        await until(shop.has_receipt)
    assert await missing(shop.here.pool, shop.reads, [CUSTOMER]) == []
    await shop.execute("DELETE FROM projections.erased")
    await shop.execute("UPDATE orders_1.orders SET note = 'analytical engines'")
    assert await not_cleared(shop.reads, [CUSTOMER]) == {CUSTOMER}
    found = await missing(shop.here.pool, shop.reads, [CUSTOMER])
    await erase_again(found, shop.here.loop, shop.here.keys, shop.sweeper)
    assert shop.left() == set()


async def test_who_is_erased_again_beside_a_new_read_database_gets_a_receipt(shop: Shop) -> None:
    """Nobody has taken note of any event in it yet: a process that starts begins with those that come from then on."""
    await erase_again([CUSTOMER], shop.here.loop, shop.here.keys, shop.sweeper)
    incarnation, head = await LogReader(shop.here.pool, "users", shop.here.keys).head()
    async with shop.reads.connection() as connection:
        await begin(connection, "users", incarnation, head)
    async with erasing(shop):
        await until(shop.has_receipt)


async def test_a_backup_from_before_somebody_registered_has_nothing_to_forget(shop: Shop) -> None:
    nobody = UUID(int=7)
    await erase_again([nobody], shop.here.loop, shop.here.keys, shop.sweeper)
    assert await missing(shop.here.pool, shop.reads, [nobody]) == []
    assert list(await unlisted(shop.here.pool, [])) == [nobody]


def shown_in(value: bytes) -> set[str]:
    return {word for word in WORDS if word.encode() in value}


async def test_an_export_shows_nothing_of_her_and_can_be_opened_by_nobody(shop: Shop, tmp_path: Path) -> None:
    for context in ("users", "orders"):
        before = tmp_path / f"{context}.jsonl"
        await asyncio.to_thread(export, shop.database, context, before, lambda _, __: None)
        assert shown_in(before.read_bytes()) == set()
    async with erasing(shop):
        await erase(shop)
        await until(shop.has_receipt)
    kept = tmp_path / "keys.jsonl"
    await asyncio.to_thread(export_keys, shop.database, kept)
    destroyed = [json.loads(line) for line in kept.read_text().splitlines() if str(CUSTOMER) in line]
    assert len(destroyed) == 1
    assert not destroyed[0].get("wrapped")


async def test_a_topic_shows_nothing_of_her(shop: Shop, topics: Topics) -> None:
    """What is sent is what is stored: sealed from the first event on, for ever unreadable when the key is gone."""
    shop.wakeups.open()
    relays = [Relay(shop.database, context, topics, shop.wakeups) for context in ("users", "orders")]
    async with relaying(*relays):
        await until(lambda: all(is_done(relay.health) for relay in relays), 60)
    await shop.wakeups.close()
    values = [message.value or b"" for context in ("users", "orders") for message in await messages(topics, context)]
    assert len(values) > len(STORIES)
    assert any(str(CUSTOMER).encode() in value for value in values)
    assert shown_in(b"".join(values)) == set()


async def test_mails_that_were_kept_go_too(shop: Shop) -> None:
    box = Box(mails=2)
    found = await replace(shop.sweeper, mails=box).sweep(CUSTOMER)
    assert (found["kept mails"], box.forgotten) == ((2, 2), [CUSTOMER])
