"""Sagas in the graph: how the work on an order goes, for those who look after it."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import strawberry
from strawberry import UNSET

from domain.sagas.events import Course, Outcome
from domain.sagas.saga import Saga as State
from domain.sagas.saga import Status
from projections.listing import Ordering
from projections.orders.queries import ORDERS
from projections.payments.queries import payments_of
from projections.sagas.projector import SAGAS as MODEL
from projections.sagas.projector import sagas as projector
from projections.sagas.queries import SAGAS, usual_of
from projections.sagas.row import SagaRow, WaitsFor
from read_api.access import Staff, computed, root
from read_api.actions import sagas as actions
from read_api.actions.judging import AvailableAction, judged
from read_api.connection import ORDERED, WHICH, After, Before, Connection, First, Last, connection, paging
from read_api.context import Asked, Context
from read_api.described import described
from read_api.filters import DateTimeFilter, IdFilter, StringFilter, conditions
from read_api.history import AsOf, Kind, When, row_of
from read_api.node import Node
from read_api.payments import Payment, payment
from read_api.scalars import Id, Long, Money, money, uuid_of
from sagas.definition import Definition
from sagas.engine import LATE
from sagas.explain import Explanation, StepShown, explained
from sagas.processes import PROCESSES

if TYPE_CHECKING:
    from read_api.orders import Order

SAGA: Final = Kind("sagas", MODEL, projector, SAGAS)

described(
    Status,
    "Where a saga is in its life.",
    name="SagaStatus",
    RUNNING="It goes forward.",
    COMPENSATING="It undoes what was done.",
    STUCK="Going forward it needs an operator.",
    COMPENSATION_FAILED="Going back it needs an operator.",
    PARKED="Its own rules failed.",
    ENDED="It has ended.",
)
described(
    Course,
    "Which of its plans a saga follows.",
    name="SagaCourse",
    FORWARD="Its steps, to its end.",
    BACK="From the last step begun to the first, undoing them.",
    OVER="What ends it after its pivot: another saga takes the order.",
    LATE="It had ended, and money came.",
)
described(
    Outcome,
    "How a saga ended.",
    name="SagaOutcome",
    DONE="It did all it was for.",
    REJECTED="It could not be done, and was undone.",
    EXPIRED="It took too long, and was undone.",
    CANCELLED="It was not wanted any more, and was undone.",
    HANDED_OVER="Another saga took over.",
    RESOLVED="An operator said that all is settled.",
)
described(
    WaitsFor,
    "What has to come before a saga goes on.",
    name="SagaWaitsFor",
    NOTHING="It has ended.",
    START="It has not heard enough to begin.",
    REPLY="The answer to its command.",
    FACT="What comes of its command.",
    RETRY="Its next try, which it makes by itself.",
    OPERATOR="An operator.",
)


class SagaStepState(Enum):
    DONE = "DONE"
    CURRENT = "CURRENT"
    TO_COME = "TO_COME"
    LEFT_OUT = "LEFT_OUT"


described(
    SagaStepState,
    "Where a step of a saga's present plan is.",
    DONE="It is done.",
    CURRENT="It is being done.",
    TO_COME="It comes later.",
    LEFT_OUT="It is not needed.",
)


@strawberry.type(description="A step of a saga's present plan.")
class SagaStep:
    name: str = strawberry.field(description="What is done.")
    state: SagaStepState = strawberry.field(description="Whether it is done, comes now or later, or is left out.")
    pivot: bool = strawberry.field(description="Once it is done there is no way back, only forward.")
    attempts: int = strawberry.field(description="How often its command was sent.")
    next_attempt_at: datetime | None = strawberry.field(description="When it is tried again by itself.")
    deadline_at: datetime | None = strawberry.field(description="When it is given up; null if it waits for ever.")


@strawberry.type(description="Why a saga stands where it stands.")
class SagaExplanation:
    sentence: str = strawberry.field(description="All of it in words.")
    waits_for: str = strawberry.field(description="What has to come before it goes on, in words.")
    since: datetime = strawberry.field(description="Since when it stands there.")
    next_at: datetime | None = strawberry.field(description="When it goes on by itself at the latest.")
    next_step: str | None = strawberry.field(description="The step that follows if all goes well.")


@strawberry.type(description="What a saga holds, took and gave back: in the end nothing is held on either side.")
class SagaBalance:
    money: Money | None = strawberry.field(
        description="What the shop has of the customer's money because of it, or holds. Null before any was moved."
    )
    held: Money | None = strawberry.field(description="Authorised, and neither taken nor let go.")
    captured: Money | None = strawberry.field(description="Taken.")
    refunded: Money | None = strawberry.field(description="Given back.")
    goods: Long = strawberry.field(description="Units that are held and neither on their way nor put back.")
    reserved: Long = strawberry.field(description="Units that were held.")
    committed: Long = strawberry.field(description="Units that were sent on their way.")
    released: Long = strawberry.field(description="Units that were put back.")


@strawberry.type(description="How long others of the same process took, of the 10,000 newest that ended.")
class SagaUsualAge:
    median: float = strawberry.field(description="Seconds that half of them took at most.")
    p95: float = strawberry.field(description="Seconds that nineteen of twenty took at most.")


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
    async def order(self, info: Asked) -> Annotated[Order, strawberry.lazy("read_api.orders")] | None:
        from read_api.orders import order

        row = await info.context.loader(ORDERS.each).load(UUID(self.order_id)) if self.order_id else None
        return order(row, info.context.actor) if row else None

    @computed("The money of that order.")
    async def payment(self, info: Asked) -> Payment | None:
        row = await info.context.loader(payments_of).load(UUID(self.order_id)) if self.order_id else None
        return payment(row, info.context.actor) if row else None

    @cached_property
    def explained(self) -> Explanation:
        return explained(self.state, definition_of(self.state), datetime.now(UTC))


class SagasOrderBy(Enum):
    STARTED_AT_ASC = Ordering("started_at")
    STARTED_AT_DESC = Ordering("started_at", descending=True)


described(
    SagasOrderBy,
    "Orderings of sagas.",
    STARTED_AT_ASC="The oldest first.",
    STARTED_AT_DESC="The newest first.",
)


@strawberry.input(description="Conditions on a saga's status; all that are given must hold.")
class SagaStatusFilter:
    eq: Status | None = strawberry.field(default=UNSET, description="It is this one.")
    in_: list[Status] | None = strawberry.field(name="in", default=UNSET, description="It is one of these.")


@strawberry.input(description="Conditions on what a saga waits for; all that are given must hold.")
class SagaWaitsForFilter:
    eq: WaitsFor | None = strawberry.field(default=UNSET, description="It is this.")
    in_: list[WaitsFor] | None = strawberry.field(name="in", default=UNSET, description="It is one of these.")


@strawberry.input(description="Conditions on sagas; all that are given must hold.")
class SagasWhere:
    process: StringFilter | None = strawberry.field(
        default=UNSET, description="What it does: checkout, cancellation or return."
    )
    status: SagaStatusFilter | None = strawberry.field(default=UNSET, description="Where it is in its life.")
    waits_for: SagaWaitsForFilter | None = strawberry.field(
        default=UNSET, description="What has to come before it goes on."
    )
    order_id: IdFilter | None = strawberry.field(default=UNSET, description="The order it works.")
    started_at: DateTimeFilter | None = strawberry.field(default=UNSET, description="When it began.")


@strawberry.type
class SagasQuery:
    @root(Staff, "One saga. Null if there is none.")
    async def saga(self, info: Asked, id: Id, as_of: When = UNSET) -> Saga | None:
        return await saga_by_id(info.context, uuid_of(id), as_of or None)

    @root(Staff, "Every saga.")
    async def sagas(
        self,
        info: Asked,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        where: Annotated[SagasWhere | None, WHICH] = UNSET,
        order_by: Annotated[SagasOrderBy, ORDERED] = SagasOrderBy.STARTED_AT_DESC,
    ) -> Connection[Saga]:
        return await connection(
            info.context, SAGAS, list(conditions(where)), order_by, paging(first, after, last, before), saga
        )


async def saga_by_id(context: Context, id: UUID | None, as_of: AsOf | None = None) -> Saga | None:
    row = await row_of(context, SAGA, id, as_of) if id and context.actor.in_charge else None
    return saga(row) if row else None


def saga(row: SagaRow) -> Saga:
    return Saga(
        id=strawberry.ID(str(row.id)),
        version=row.version,
        updated_at=row.updated_at,
        process=row.process,
        definition=row.definition,
        order_id=strawberry.ID(str(row.order_id)) if row.order_id else None,
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


def balance(row: SagaRow) -> SagaBalance:
    of = row.state.balance

    def amount(minor_units: int) -> Money | None:
        return money(minor_units, of.currency) if of.currency else None

    return SagaBalance(
        money=amount(of.money),
        held=amount(of.held),
        captured=amount(of.captured),
        refunded=amount(of.refunded),
        goods=Long(of.goods),
        reserved=Long(of.reserved),
        committed=Long(of.committed),
        released=Long(of.released),
    )


def definition_of(saga: State) -> Definition:
    return PROCESSES[saga.process].definitions[saga.definition]


def step(shown: StepShown, saga: State) -> SagaStep:
    trouble = saga.trouble if saga.trouble and saga.trouble.step == shown.name else None
    return SagaStep(
        name=shown.name,
        state=SagaStepState(shown.state),
        pivot=shown.pivot,
        attempts=shown.attempts,
        next_attempt_at=trouble.next_at if trouble else None,
        deadline_at=deadline(saga, shown.name) if shown.state == SagaStepState.CURRENT.value else None,
    )


def deadline(saga: State, step: str) -> datetime | None:
    """A step's own; the timers of the process are nobody's in particular."""
    return min((due for name, due in saga.timers.items() if name.startswith(f"{LATE}/{step}/")), default=None)


def usual_age(usual: tuple[float, float] | None) -> SagaUsualAge | None:
    return SagaUsualAge(median=usual[0], p95=usual[1]) if usual else None
