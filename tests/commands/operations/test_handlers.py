"""What is decided of operations without HTTP: by workers, which record outcomes, and by tools."""

from __future__ import annotations

import pytest

from commands.message import Command
from commands.operations.messages import (
    BeginOperation,
    CompleteOperation,
    EndWithoutEffect,
    FailOperation,
    RequestOperation,
)
from domain.actor import Actor
from domain.errors import AlreadyExists, Forbidden, NotAllowedNow, NotFound
from domain.ids import OperationId, new_id
from domain.operations.events import OperationBegun
from domain.operations.operation import Status
from tests.commands.operations.desk import OPERATOR, Desk


async def asked(desk: Desk) -> str:
    id = OperationId(new_id())
    command = RequestOperation(id=id, kind="replay.start", subject="orders", reason="A new column")
    assert await desk.tell(command, str(id)) == "REQUESTED"
    return str(id)


@pytest.mark.parametrize(
    "command, status",
    [
        (CompleteOperation(result={"generation": 2}), Status.DONE),
        (FailOperation(error="no such model"), Status.FAILED),
        (EndWithoutEffect(why="it is live already"), Status.NO_EFFECT),
    ],
    ids=["complete", "fail", "no effect"],
)
async def test_a_worker_records_the_one_outcome(desk: Desk, command: Command, status: Status) -> None:
    id = await asked(desk)
    assert await desk.tell(command, id) == status
    assert await desk.tell(command, id) == status
    assert (await desk.operation(id)).version == 2


async def test_the_first_outcome_stands(desk: Desk) -> None:
    id = await asked(desk)
    await desk.tell(CompleteOperation(result={}), id)
    with pytest.raises(NotAllowedNow):
        await desk.tell(FailOperation(error="late"), id)


async def test_people_do_not_record_outcomes(desk: Desk) -> None:
    id = await asked(desk)
    with pytest.raises(Forbidden, match="by the process that carried it out"):
        await desk.tell(CompleteOperation(result={}), id, OPERATOR)


async def test_what_was_never_asked_for_has_no_outcome(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no operation"):
        await desk.tell(CompleteOperation(result={}), str(new_id()))


async def test_an_id_is_used_once(desk: Desk) -> None:
    id = await asked(desk)
    command = RequestOperation(id=OperationId((await desk.operation(id)).id), kind="a.b", subject="c", reason="d")
    with pytest.raises(AlreadyExists):
        await desk.tell(command, id)


@pytest.mark.parametrize("kind", ["retry", "Parked.retry", "parked.", "parked.retry; DROP"])
def test_a_kind_is_a_thing_and_a_verb(kind: str) -> None:
    with pytest.raises(ValueError, match="kind"):
        RequestOperation(kind=kind, subject="orders", reason="because")


async def test_a_tool_begins_what_it_carries_out_itself(desk: Desk) -> None:
    id = OperationId(new_id())
    begun = BeginOperation(id=id, kind="log.import", subject="orders", parameters={"events": 12}, reason="Moved here")
    tool = Actor(None, OPERATOR.roles)
    assert await desk.tell(begun, str(id), tool) == "REQUESTED"
    [event] = await desk.events()
    assert isinstance(event, OperationBegun)
    assert (event.by, event.reason) == (None, "Moved here")
