"""A saga, how the work on an order goes, and what hangs on it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from domain.sagas.saga import Saga as State
from projections.orders.queries import ORDERS
from projections.payments.queries import payments_of
from projections.sagas.queries import usual_of
from projections.sagas.row import SagaRow
from read_api.access import computed
from read_api.actions import sagas as actions
from read_api.actions.judging import AvailableAction, judged
from read_api.context import Asked
from read_api.node import Node
from read_api.payments.nodes import Payment, payment
from read_api.sagas.enums import Course, Outcome, Status, WaitsFor
from read_api.sagas.parts import SagaBalance, SagaExplanation, SagaStep, SagaUsualAge, balance, step, usual_age
from read_api.scalars import id_of
from sagas.definition import Definition
from sagas.explain import Explanation, explained
from sagas.processes import PROCESSES

if TYPE_CHECKING:
    from read_api.orders.nodes import Order


@strawberry.type(description="The work on an order, step by step: its checkout, its cancellation, or a return.")
class Saga(Node):
    version: int = strawberry.field(description="Counts its changes; the same number as in the command API's ETag.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    process: str = strawberry.field(description="What it does: checkout, cancellation or return.")
    definition: int = strawberry.field(description="The version of the process that it keeps to its end.")
    order_id: strawberry.ID | None = strawberry.field(description="Null until it was told which order it works.")
    status: Status = strawberry.field(description="Where it is in its life.")
    paused: bool = strawberry.field(description="An operator has stopped it for a while.")
    course: Course = strawberry.field(description="Which of its plans it follows.")
    step: str | None = strawberry.field(description="The step it is at.")
    step_number: int = strawberry.field(description="The step's place in the plan, from 1.")
    step_count: int = strawberry.field(description="How many steps the plan has.")
    attempt: int = strawberry.field(description="How often the step's command was sent.")
    waits_for: WaitsFor = strawberry.field(description="What has to come before it goes on.")
    since: datetime = strawberry.field(description="Since when it is at this step, or has ended.")
    next_attempt_at: datetime | None = strawberry.field(description="When it tries again by itself.")
    code: str | None = strawberry.field(description="What is wrong, or why it went back.")
    detail: str | None = strawberry.field(description="The same in words.")
    outcome: Outcome | None = strawberry.field(description="How it ended.")
    started_at: datetime = strawberry.field(description="When it began.")
    ended_at: datetime | None = strawberry.field(description="When it ended; it may go on if money comes late.")
    age_seconds: float = strawberry.field(description="Seconds that it took, or has been under way.")
    balance: SagaBalance = strawberry.field(description="The money and goods it holds, took and gave back.")
    state: strawberry.Private[State]

    @computed("What can be done to it, and why the rest cannot be done now; to customers what is for them.")
    def available_actions(self, info: Asked) -> list[AvailableAction]:
        return judged(actions.WAYS, self.state, self.id, info.context.actor, info.context.permit)

    @computed("Why it stands where it stands, what it waits for and what comes next.")
    def explanation(self) -> SagaExplanation:
        said = self.explained
        return SagaExplanation(
            sentence=said.sentence,
            waits_for=said.waits_for,
            since=said.since,
            next_at=said.next_at,
            next_step=said.next_step,
        )

    @computed("The steps of its present plan, in order.")
    def steps(self) -> list[SagaStep]:
        return [step(shown, self.state) for shown in self.explained.steps]

    @computed("How long others of its process took. Null while none has ended.")
    async def usual_age(self, info: Asked) -> SagaUsualAge | None:
        return usual_age(await info.context.loader(usual_of).load(self.process))

    @computed("Whether it is under way for longer than nineteen of twenty others took.")
    async def slow(self, info: Asked) -> bool:
        usual = await info.context.loader(usual_of).load(self.process)
        return self.ended_at is None and usual is not None and self.age_seconds > usual[1]

    @computed("The order it works. Null until it was told which.")
    async def order(self, info: Asked) -> Annotated[Order, strawberry.lazy("read_api.orders.nodes")] | None:
        from read_api.orders.nodes import order

        row = await info.context.loader(ORDERS.each).load(UUID(self.order_id)) if self.order_id else None
        return order(row, info.context.actor) if row else None

    @computed("The money of that order.")
    async def payment(self, info: Asked) -> Payment | None:
        row = await info.context.loader(payments_of).load(UUID(self.order_id)) if self.order_id else None
        return payment(row, info.context.actor) if row else None

    @cached_property
    def explained(self) -> Explanation:
        return explained(self.state, definition_of(self.state), datetime.now(UTC))


def saga(row: SagaRow) -> Saga:
    return Saga(
        id=id_of(row.id),
        version=row.version,
        updated_at=row.updated_at,
        process=row.process,
        definition=row.definition,
        order_id=id_of(row.order_id) if row.order_id else None,
        status=row.status,
        paused=row.paused,
        course=row.course,
        step=row.step,
        step_number=row.number,
        step_count=row.of,
        attempt=row.attempt,
        waits_for=row.waits_for,
        since=row.since,
        next_attempt_at=row.next_at,
        code=row.code,
        detail=row.detail,
        outcome=row.outcome,
        started_at=row.started_at,
        ended_at=row.ended_at,
        age_seconds=age(row),
        balance=balance(row),
        state=row.state.saga,
    )


def age(row: SagaRow) -> float:
    return row.took if row.took is not None else (datetime.now(UTC) - row.started_at).total_seconds()


def definition_of(saga: State) -> Definition:
    return PROCESSES[saga.process].definitions[saga.definition]
