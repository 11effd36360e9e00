"""The rows of users in a real read database, and whose tokens stop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg_pool import AsyncConnectionPool

from domain.actor import Role
from domain.event import Event
from domain.users.credentials import credentials_id
from domain.users.events import (
    AddressAdded,
    DefaultAddressChosen,
    ProfileChanged,
    RoleGranted,
    SignedIn,
    UserErased,
    UserReinstated,
    UserSuspended,
)
from domain.users.user import Status
from domain.users.values import Profile
from projections.checkpoint import Checkpoint
from projections.consumer import Consumer
from projections.generations import READS
from projections.listing import Condition, Ordering, Page
from projections.sink import ModelSink
from projections.users.blocked import Blocked
from projections.users.projector import USERS, sign_ins, users
from projections.users.queries import USERS as LISTED
from projections.users.row import SignInsRow, UserRow
from tests.domain.users.samples import ADDRESS, HANA, HOME, activated, password_set, registered
from tests.projections.fakes import FakeFeed
from tests.specification import Make, a

NOW = datetime.now(UTC)  # where the time of day is of no account
LIFE = timedelta(minutes=10)
HISTORY = (
    registered,
    activated,
    a(ProfileChanged, profile=Profile(display_name="Hana I.", first_name="Hana", bio="Tea.")),
    a(AddressAdded, address_id=HOME, address=ADDRESS),
    a(DefaultAddressChosen, address_id=HOME),
    a(RoleGranted, role=Role.STAFF, by="user:x"),
)


class Story:
    """Events of Hana, consumed as they are told."""

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        self.pool = pool
        self.feed = FakeFeed("users")
        self.consumer = Consumer(ModelSink(USERS), self.feed, pool)
        self.checkpoint: Checkpoint | None = None
        self.told = 0

    async def tell(self, *history: Make) -> None:
        events: list[Event] = [make(HANA, self.told + n) for n, make in enumerate(history, 1)]
        self.told += len(events)
        await self.happened(*events)

    async def happened(self, *events: Event) -> None:
        self.feed.append(*events)
        self.checkpoint = await self.consumer.step(self.checkpoint or await self.consumer.open())

    async def row(self) -> UserRow:
        async with self.pool.connection() as connection:
            return (await users.table.load(connection, READS, [HANA]))[HANA]

    async def sign_ins(self) -> SignInsRow:
        id = credentials_id(HANA)
        async with self.pool.connection() as connection:
            return (await sign_ins.table.load(connection, READS, [id]))[id]


@pytest.fixture
def story(pool: AsyncConnectionPool[Any]) -> Story:
    return Story(pool)


async def test_a_row_comes_back_as_it_was_folded(story: Story) -> None:
    await story.tell(*HISTORY)
    row = await story.row()
    assert (row.display_name, row.email, row.roles) == ("Hana I.", "hana@example.org", (Role.CUSTOMER, Role.STAFF))
    assert (row.addresses[0].address, row.default_address_id) == (ADDRESS, HOME)


async def test_a_user_is_found_by_a_name_until_erased(story: Story) -> None:
    await story.tell(*HISTORY)
    newest, page = Ordering("created_at", descending=True), Page(10)

    async def found(text: str, status: Status = Status.ACTIVE) -> list[UUID]:
        where = [Condition("words", "words", text), Condition("status", "eq", status.value)]
        rows = (await LISTED.page(story.pool, where, newest, page)).rows
        assert await LISTED.count(story.pool, where, 10) == len(rows)
        return [row.id for row in rows]

    assert [await found(text) for text in ("HAN", "hana i", "nobody", "example", "!")] == [[HANA], [HANA], [], [], []]
    await story.tell(a(UserErased, by="user:x"))
    assert await found("hana", Status.ERASED) == []


async def test_sign_ins_stand_in_a_row_of_their_own(story: Story) -> None:
    await story.tell(*HISTORY)
    id = credentials_id(HANA)
    signed_in = a(SignedIn, session_id=HOME, token_hash="t", expires_at=NOW)
    await story.happened(password_set(id, 1), signed_in(id, 2))
    assert (await story.row()).version == len(HISTORY)
    assert (await story.sign_ins()).sign_ins == 1


async def test_an_erased_user_leaves_nothing_personal_in_the_database(story: Story) -> None:
    await story.tell(*HISTORY, a(UserSuspended, reason="sold tea", by="user:x"))
    await story.tell(a(UserErased, by="user:x"))
    async with story.pool.connection() as connection:
        cursor = await connection.execute("SELECT to_json(u)::text FROM users_1.users u")
        found = [row[0].lower() for row in await cursor.fetchall()]
    assert len(found) == 1
    assert not any(word in found[0] for word in ("hana", "tea", "sakura", "example.org"))


async def test_tokens_stop_when_a_user_is_suspended_and_work_again_when_reinstated(story: Story) -> None:
    blocked = Blocked(story.pool, LIFE)
    await story.tell(registered, activated)
    await blocked.look()
    assert HANA not in blocked
    await story.tell(a(UserSuspended, at=datetime.now(UTC), reason="spam", by="user:x"))
    await blocked.look()
    assert HANA in blocked
    await story.tell(a(UserReinstated, reason="a mistake", by="user:x"))
    await blocked.look()
    assert HANA not in blocked


async def test_who_was_blocked_longer_ago_than_a_token_lives_need_not_be_remembered(story: Story) -> None:
    blocked = Blocked(story.pool, LIFE)
    await story.tell(registered, activated, a(UserErased, at=NOW - timedelta(hours=1), by="user:x"))
    await blocked.look()
    assert HANA not in blocked
