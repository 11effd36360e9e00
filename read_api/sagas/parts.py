"""What a saga shows of itself: steps, why it stands where it stands, what it holds."""

from __future__ import annotations

from datetime import datetime

import strawberry

from domain.sagas.saga import Saga as State
from projections.sagas.row import SagaRow
from read_api.sagas.enums import SagaStepState
from read_api.scalars import Long, Money, money
from sagas.engine import LATE
from sagas.explain import StepShown


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
