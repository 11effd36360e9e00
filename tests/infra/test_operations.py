"""What an operation comes to when it is carried out, however often that is tried and by how many."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest

from commands.operations.messages import RequestOperation
from domain.ids import OperationId, new_id
from domain.operations.events import Facts
from domain.operations.operation import Operation, Status
from infra.operations import LOST_AFTER, CarryOut, NothingToDo, NotThere, Refused, UnknownKind, WithoutEffect
from projections.doing import Done, Failed, Outcome
from projections.todo import Work
from tests.commands.operations.desk import Desk, opened


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    async with opened(database) as desk:
        yield desk


async def asked(desk: Desk, kind: str = "parked.retry") -> Work:
    """The work that a request leads to."""
    id = OperationId(new_id())
    command = RequestOperation(id=id, kind=kind, subject="orders", parameters={"n": 1}, reason="because")
    await desk.tell(command, str(id))
    return work_on(id)


def work_on(subject: UUID) -> Work:
    return Work(
        id=new_id(),
        kind="operation",
        context="operations",
        subject=subject,
        data={},
        attempt=1,
        tried_for=0.0,
        last_error=None,
        correlation_id="test",
        causation_id=None,
        traceparent=None,
        lease=new_id(),
    )


async def applies(operation: Operation) -> Facts:
    return {"applied": operation.parameters["n"]}


async def refuses(operation: Operation) -> Facts:
    raise Refused(f"{operation.target} cannot be mended; products can")


async def has_nothing_to_do(operation: Operation) -> Facts:
    raise NothingToDo("it is not parked any more")


async def breaks(operation: Operation) -> Facts:
    raise OSError("the database is away")


@pytest.mark.parametrize(
    "executor, outcome, status",
    [
        (applies, Done({"applied": 1}), Status.DONE),
        (refuses, Failed("orders cannot be mended; products can"), Status.FAILED),
        (has_nothing_to_do, WithoutEffect(why="it is not parked any more"), Status.NO_EFFECT),
    ],
    ids=["done", "refused", "nothing to do"],
)
async def test_what_came_of_it_is_recorded_and_known_from_then_on(
    desk: Desk, executor, outcome: Outcome, status: Status
) -> None:
    act, work = CarryOut(desk.loop, {"parked.retry": executor}), await asked(desk)
    assert await act.known(work) is None
    assert await act.do(work) == outcome
    await act.record(work, outcome)
    await act.record(work, outcome)
    operation = await desk.operation(str(work.subject))
    assert (operation.status, operation.version) == (status, 2)
    assert await act.known(work) == outcome


async def test_what_breaks_is_for_the_worker_to_try_again(desk: Desk) -> None:
    with pytest.raises(OSError, match="away"):
        await CarryOut(desk.loop, {"parked.retry": breaks}).do(await asked(desk))


async def test_a_kind_of_a_later_release_is_left_to_a_worker_that_knows_it(desk: Desk) -> None:
    with pytest.raises(UnknownKind, match=r"does not carry out later.kind"):
        await CarryOut(desk.loop, {"parked.retry": applies}).do(await asked(desk, "later.kind"))


@pytest.mark.parametrize("executor", [refuses, has_nothing_to_do])
async def test_a_refusal_of_what_was_begun_before_says_so(desk: Desk, executor) -> None:
    """A worker may have died between doing it and recording it."""
    again = replace(await asked(desk), attempt=2)
    outcome = await CarryOut(desk.loop, {"parked.retry": executor}).do(again)
    assert "(it was begun before: that may have done it)" in str(outcome)


async def test_the_outcome_that_another_worker_recorded_stands(desk: Desk) -> None:
    act, work = CarryOut(desk.loop, {}), await asked(desk)
    await act.record(work, Done({"applied": 1}))
    await act.record(work, Failed("given up"))
    assert await act.known(work) == Done({"applied": 1})


async def test_an_outcome_names_what_it_follows_from(desk: Desk) -> None:
    work = await asked(desk)
    await CarryOut(desk.loop, {}).record(work, Done())
    async with desk.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT actor, correlation_id, causation_id FROM operations.stored_events WHERE originator_version = 2"
        )
        assert await cursor.fetchone() == ("service:operations", "test", work.id)


async def test_an_operation_that_the_log_has_lost_is_not_carried_out(desk: Desk) -> None:
    work = replace(work_on(new_id()), tried_for=LOST_AFTER)
    assert await CarryOut(desk.loop, {}).known(work) == Failed("the log of operations has it no more")


async def test_an_operation_that_only_another_process_finds_is_left_to_that(desk: Desk) -> None:
    """The log has moved to another database, and this process was not restarted yet."""
    with pytest.raises(NotThere, match="has it not"):
        await CarryOut(desk.loop, {}).known(work_on(new_id()))
