"""What the to-do worker does for sagas: commands and timers, whose outcomes are inputs for sagas that are there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from immutables import Map

from commands.reply import Envelope, Reply
from commands.sagas.handlers import handlers
from commands.sagas.messages import DeliverOutcome
from domain.actor import ANONYMOUS, service
from domain.aggregate import States
from domain.errors import Forbidden, NotFound
from domain.ids import SagaId, new_id
from domain.sagas.events import InputKind
from domain.sagas.saga import Saga
from projections.doing import Done, Later
from projections.todo import Work
from sagas.dispatching import HELD, SendCommand
from sagas.engine import Engine
from sagas.port import Accepted, Request
from sagas.processes import PROCESSES

SAGA = Saga(SagaId(uuid4()), 3, "checkout", 1, uuid4(), datetime(2026, 3, 1, tzinfo=UTC))
COMMAND = uuid4()
WORK = Work(
    uuid4(), "saga-command", "sagas", SAGA.id, {"command": str(COMMAND), "path": "/v1/payments", "body": {}},
    1, 0.0, None, "c", None, None, uuid4(),
)  # fmt: skip


class Sagas:
    """A log with one saga in it, and commands that are always accepted."""

    def __init__(self, saga: Saga) -> None:
        self.saga = saga
        self.looks = 0
        self.sent: list[Request] = []

    async def states(self, ids: Iterable[UUID]) -> States:
        self.looks += 1
        known: dict[UUID, Saga] = {self.saga.id: self.saga}
        return States(known.get)

    async def submit(self, envelope: Envelope) -> Reply:
        raise AssertionError("nothing is recorded here")

    async def send(self, request: Request) -> Accepted:
        self.sent.append(request)
        return Accepted(1, "OPEN")


async def test_a_command_is_sent_after_one_look_at_the_saga() -> None:
    sagas = Sagas(SAGA)
    act = SendCommand(sagas, sagas)
    assert await act.known(WORK) is None
    assert await act.do(WORK) == Done({"name": "accepted", "facts": {"version": 1, "status": "OPEN"}})
    assert ([request.key for request in sagas.sent], sagas.looks) == ([COMMAND], 1)


async def test_the_command_of_a_paused_saga_waits_as_it_is() -> None:
    sagas = Sagas(replace(SAGA, paused=True))
    assert await SendCommand(sagas, sagas).known(WORK) == Later(HELD, WORK.data)


async def test_a_reply_that_the_saga_has_seen_is_known_though_it_is_paused() -> None:
    sagas = Sagas(replace(SAGA, paused=True, seen=Map({COMMAND: True})))
    assert await SendCommand(sagas, sagas).known(WORK) == Done()


def decided(by: Any, saga: Saga | None) -> Any:
    command = DeliverOutcome(input_id=COMMAND, kind=InputKind.TIMER, name="hold", facts={})
    handler = handlers(Engine(PROCESSES))[DeliverOutcome]
    known: dict[UUID, Saga | None] = {SAGA.id: saga}
    return handler.decide(command.bind(by=by, target=SAGA.id), States(known.get), SAGA.started_at, new_id)


def test_an_outcome_makes_no_saga() -> None:
    assert [event.input_id for event in decided(service("sagas"), SAGA)] == [COMMAND]
    with pytest.raises(NotFound):
        decided(service("sagas"), None)


def test_nobody_but_processes_of_ours_delivers_an_outcome() -> None:
    with pytest.raises(Forbidden):
        decided(ANONYMOUS, SAGA)
