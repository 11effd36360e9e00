"""How the command line has things done: recorded at once, carried out by a worker or by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from domain.ids import OperationId, new_id
from domain.operations.kinds import OperationKind
from infra.bootstrap import running
from infra.cli import operating as module
from infra.cli.operating import NoWorker, OperationRefused, Operations, StillUnderWay, operating
from infra.duties import Duty
from infra.operations import NothingToDo
from infra.settings import Settings
from tests.eventually import until

RETRY = OperationKind.PARKED_RETRY


@pytest.fixture
async def settings(database: str) -> Settings:
    """Of a database on which the command API ran once, and a worker never."""
    settings = Settings.read(defaults={"database_url": database, "profile": "development"})
    async with running(settings, {Duty.COMMANDS}):
        pass
    return settings


@pytest.fixture
async def operations(settings: Settings) -> AsyncIterator[Operations]:
    async with operating(settings) as operations:
        yield operations


async def recorded(database: str) -> list[str]:
    """The event types in the log of operations."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        found = await connection.execute("SELECT topic FROM operations.stored_events ORDER BY notification_id")
        return [topic.removeprefix("operations.operation-") for (topic,) in await found.fetchall()]


async def test_a_worker_carries_it_out_and_what_came_of_it_is_told(settings: Settings, operations: Operations) -> None:
    nobody = new_id()
    async with running(settings, {Duty.TODO}):
        with pytest.raises(OperationRefused, match=f"nothing is parked under {nobody}"):
            await operations.request(RETRY, str(nobody), {}, "because")
        with pytest.raises(
            OperationRefused, match="there is no read model stamps; there are notifications, operations, orders"
        ):
            await operations.request(OperationKind.REPLAY_START, "stamps", {"until": None}, "because")
        with pytest.raises(OperationRefused, match="yesterday is not the id of anything parked"):
            await operations.request(RETRY, "yesterday", {}, "because")


async def test_without_a_worker_it_stays_requested_until_one_runs(
    settings: Settings, operations: Operations, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAKEN_WITHIN", 0.3)
    id = OperationId(new_id())
    with pytest.raises(NoWorker, match=f"operation {id} is requested, but no worker has taken it"):
        await operations.request(RETRY, str(new_id()), {}, "because", id=id)
    assert await recorded(database) == ["requested"]

    async def carried_out() -> bool:
        return await recorded(database) == ["requested", "without-effect"]

    async with running(settings, {Duty.TODO}):
        await until(carried_out)


async def test_what_takes_long_is_left_to_the_worker(
    operations: Operations, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAKEN_WITHIN", 0.1)
    monkeypatch.setattr(module, "ENDED_WITHIN", 0.5)
    id = OperationId(new_id())
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(
            "INSERT INTO projections.todo (id, kind, context, subject, due_at, attempt, last_error, correlation_id)"
            " VALUES (%s, 'operation', 'operations', %s, now(), 1, 'the log is away', '')",
            [new_id(), id],
        )
    with pytest.raises(StillUnderWay, match="the last try ended with: the log is away"):
        await operations.request(RETRY, str(new_id()), {}, "because", id=id)


async def test_what_a_tool_does_itself_is_recorded_with_its_result(operations: Operations, database: str) -> None:
    async with operations.carried_out(OperationKind.LOG_IMPORT, "orders", {"file": "a"}, "because") as result:
        result["events"] = 12
    assert await recorded(database) == ["begun", "completed"]


@pytest.mark.parametrize(
    "error, outcome",
    [(OSError("the disk is full"), "failed"), (NothingToDo("it is empty"), "without-effect")],
)
async def test_what_a_tool_could_not_do_is_recorded_and_raised(
    operations: Operations, database: str, error: Exception, outcome: str
) -> None:
    with pytest.raises(type(error)):
        async with operations.carried_out(OperationKind.LOG_IMPORT, "orders", {}, "because"):
            raise error
    assert await recorded(database) == ["begun", outcome]


async def test_no_worker_does_what_a_tool_does_itself(
    settings: Settings, operations: Operations, database: str
) -> None:
    async with running(settings, {Duty.TODO}):
        async with operations.carried_out(OperationKind.LOG_IMPORT, "orders", {}, "because"):
            await asyncio.sleep(0.3)
        with pytest.raises(OperationRefused):  # it has seen all that comes before this
            await operations.request(RETRY, str(new_id()), {}, "because")
    async with await psycopg.AsyncConnection.connect(database) as connection:
        found = await connection.execute("SELECT count(*) FROM projections.todo")
        assert await found.fetchone() == (1,)
