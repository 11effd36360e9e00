"""Leases under any history of workers, deaths, operators and clock jumps, beside a model that is plain to see."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from projections import todo, todos
from projections.models import MODELS
from projections.pool import Connection
from projections.schema import prepare
from projections.todo import Asked, Ended, Room, Work
from projections.todos import NotTakenInHand
from tests.full import size

ROWS = 4
HOUR = 3600.0
"""The unit of time here: no example takes nearly as long, so that every moment is between two hours."""


@dataclass
class Modelled:
    """A row as it must be. `due` and `until` are hours from now."""

    due: float
    status: str = "OPEN"
    lease: UUID | None = None
    until: float | None = None
    attempt: int = 0
    data: int = 0

    @property
    def free(self) -> bool:
        return self.status == "OPEN" and self.due <= 0 and (self.until is None or self.until <= 0)

    def given_back(self) -> None:
        self.lease = self.until = None


class Play:
    """Does to the table and to the model what a script says. `taken` are all leases ever given, the stale ones too."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.rows: dict[UUID, Modelled] = {}
        self.taken: list[Work] = []

    async def act(self, name: str, which: int, hours: int) -> None:
        await getattr(self, name)(which, hours)
        await self.compare()

    async def add(self, which: int, hours: int) -> None:
        id = UUID(int=which % ROWS + 1)
        await todo.add(self.connection, [Asked(id=id, kind="call", context="tests", subject=uuid4())])
        self.rows.setdefault(id, Modelled(due=0))

    async def lease(self, which: int, hours: int) -> None:
        found = await todo.lease(self.connection, [Room(["call"], ROWS)], which % ROWS + 1, hours * HOUR, "a worker")
        free = {id for id, row in self.rows.items() if row.free}
        assert {work.id for work in found} <= free
        assert len(found) == min(which % ROWS + 1, len(free))
        for work in found:
            row = self.rows[work.id]
            row.lease, row.until, row.attempt = work.lease, hours, row.attempt + 1
            assert work.attempt == row.attempt
        self.taken += found

    async def renew(self, which: int, hours: int) -> None:
        ours = await todo.renew(self.connection, self.taken, hours * HOUR)
        held = {work.id for work in self.taken if self.holds(work)}
        assert ours == held
        for id in held:
            self.rows[id].until = hours

    async def close(self, which: int, hours: int) -> None:
        if (work := self.some(which)) is not None:
            ended = Ended(work, well=hours % 2 == 0, outcome={"by": str(work.lease)})
            if self.agreed(work, work.id in await todo.close(self.connection, [ended])):
                self.rows[work.id].status = "DONE" if hours % 2 == 0 else "FAILED"
                self.rows[work.id].given_back()

    async def retry(self, which: int, hours: int) -> None:
        if (work := self.some(which)) is not None and self.agreed(
            work, await todo.retry(self.connection, work, hours * HOUR, "again")
        ):
            self.rows[work.id].due = hours
            self.rows[work.id].given_back()

    async def postpone(self, which: int, hours: int) -> None:
        if (work := self.some(which)) is not None and self.agreed(
            work, await todo.postpone(self.connection, work, hours * HOUR, {"part": hours})
        ):
            row = self.rows[work.id]
            row.due, row.attempt, row.data = hours, 0, hours
            row.given_back()

    async def release(self, which: int, hours: int) -> None:
        if (work := self.some(which)) is not None:
            await todo.release(self.connection, [work])
            if self.holds(work):
                self.rows[work.id].attempt -= 1
                self.rows[work.id].given_back()

    async def time_goes_by(self, which: int, hours: int) -> None:
        """Or, by as much, a clock jumps: forth if `which` is even, else back."""
        by = -hours if which % 2 == 0 else hours
        await self.connection.execute(
            "UPDATE projections.todo SET due_at = due_at + make_interval(secs => %s),"
            " leased_until = leased_until + make_interval(secs => %s)",
            [by * HOUR, by * HOUR],
        )
        for row in self.rows.values():
            row.due += by
            row.until = None if row.until is None else row.until + by

    async def pause(self, which: int, hours: int) -> None:
        await self.in_hand(which, todos.pause, "PAUSED")

    async def retry_now(self, which: int, hours: int) -> None:
        if await self.in_hand(which, todos.retry_now, "OPEN"):
            self.rows[UUID(int=which % ROWS + 1)].due = 0

    async def in_hand(self, which: int, act: Any, status: str) -> bool:
        row = self.rows.get(id := UUID(int=which % ROWS + 1))
        if row is None or row.status in {"DONE", "FAILED"}:
            with pytest.raises(NotTakenInHand):
                await act(self.connection, id)
            return False
        await act(self.connection, id)
        row.status = status
        return True

    def some(self, which: int) -> Work | None:
        return self.taken[which % len(self.taken)] if self.taken else None

    def holds(self, work: Work) -> bool:
        return self.rows[work.id].lease == work.lease

    def agreed(self, work: Work, did: bool) -> bool:
        assert did is self.holds(work), "only the last one who took a row may end it"
        return did

    async def compare(self) -> None:
        query = "SELECT id, status, lease, attempt, coalesce((data->>'part')::int, 0) FROM projections.todo"
        found = {id: columns for id, *columns in await (await self.connection.execute(query)).fetchall()}
        assert found == {id: [r.status, r.lease, r.attempt, r.data] for id, r in self.rows.items()}
        due = await todo.next_due(self.connection, ["call"])
        waits = [r.due if r.until is None else max(r.due, r.until) for r in self.rows.values() if r.status == "OPEN"]
        assert due == (pytest.approx(min(waits) * HOUR, abs=HOUR / 2) if waits else None)


STEPS = ("add", "lease", "renew", "close", "retry", "postpone", "release", "time_goes_by", "pause", "retry_now")
scripts = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9), st.integers(1, 5)), max_size=40)


@pytest.fixture(scope="module")
def prepared(module_database: str) -> str:
    asyncio.run(prepare(module_database, MODELS))
    return module_database


async def played(database: str, script: list[tuple[str, int, int]]) -> None:
    async with await AsyncConnection.connect(database, autocommit=True) as connection:
        play = Play(connection)
        for step in [("add", 0, 1), ("add", 1, 1), *script]:
            await play.act(*step)


@pytest.mark.full("todo")
@pytest.mark.timeout(900)
@settings(max_examples=size(60, 1_500, suite="todo"))
@given(scripts)
def test_who_holds_a_row_and_nobody_else_ends_it(prepared: str, script: list[tuple[str, int, int]]) -> None:
    with psycopg.connect(prepared, autocommit=True) as connection:
        connection.execute("DELETE FROM projections.todo")
    asyncio.run(played(prepared, script))
