"""Sagas as they are looked up. The row carries the saga's own state and shows what follows from it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.sagas import balance as balances
from domain.sagas.events import CommandDispatched, SagaEvent, SagaStarted
from domain.sagas.saga import Saga, evolve
from projections.feed import Recorded
from projections.model import Model, Projector, opened
from projections.row import replace
from projections.sagas.actions import PERSONAL, saga_actions
from projections.sagas.row import SagaRow, SagaState, WaitsFor

sagas = Projector("sagas", SagaRow, SagaEvent)

SAGAS = Model("sagas", contexts=("sagas",), projectors=(sagas, saga_actions), personal=(PERSONAL,))


@sagas.opens(SagaStarted)
def started(event: SagaStarted) -> SagaRow:
    saga = evolve(None, event)
    return SagaRow(
        **opened(event),
        process=event.process,
        definition=event.definition,
        key=event.key,
        status=saga.status,
        since=event.timestamp,
        started_at=event.timestamp,
        state=SagaState(saga),
    )


@sagas.on(CommandDispatched)
def dispatched(row: SagaRow, event: CommandDispatched) -> SagaRow:
    if event.aside:
        return row
    return replace(row, number=event.number, of=event.of, attempt=event.attempt)


@sagas.every
def shown(row: SagaRow, recorded: Recorded) -> SagaRow:
    event: Any = recorded.event
    if event.originator_version == 1:
        return row
    before = row.state.saga
    saga = evolve(before, event)
    balance = balances.evolve(row.state.balance, event, before.inbox)
    moved = saga.step != before.step or saga.status is not before.status
    trouble = saga.trouble
    return replace(
        row,
        state=SagaState(saga, balance),
        order_id=row.order_id or order_of(saga),
        status=saga.status,
        paused=saga.paused,
        course=saga.course,
        step=saga.step,
        waits_for=waits_for(saga),
        since=event.timestamp if moved else row.since,
        next_at=trouble.next_at if trouble else None,
        code=code_of(saga),
        detail=saga.parked or (trouble.detail if trouble else None),
        outcome=saga.outcome,
        inbox=len(saga.inbox),
        asked=len(saga.asked),
        held=balance.held,
        captured=balance.captured,
        refunded=balance.refunded,
        currency=balance.currency,
        reserved=balance.reserved,
        committed=balance.committed,
        released=balance.released,
        ended_at=saga.ended_at,
        took=(saga.ended_at - saga.started_at).total_seconds() if saga.ended_at else None,
    )


def waits_for(saga: Saga) -> WaitsFor:
    if saga.parked is not None or saga.stuck:
        return WaitsFor.OPERATOR
    if saga.ended:
        return WaitsFor.NOTHING
    if saga.trouble is not None and saga.trouble.next_at is not None:
        return WaitsFor.RETRY
    if saga.step is None:
        return WaitsFor.START
    return WaitsFor.REPLY if saga.current in saga.asked else WaitsFor.FACT


def code_of(saga: Saga) -> str | None:
    """What is wrong now, else why it went back."""
    if saga.trouble is not None:
        return saga.trouble.code
    return saga.wish.code if saga.wish is not None else None


def order_of(saga: Saga) -> UUID | None:
    """Every process that has to do with an order is told its id when it starts."""
    for facts in saga.known.values():
        if (id := facts.get("order_id")) is not None:
            return UUID(str(id))
    return None
