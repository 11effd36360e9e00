"""Steps and hearings that every process about an order's money shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from domain.ids import PaymentId, SagaId
from domain.payments.events import (
    ActionRequired,
    AttemptPending,
    AttemptVoided,
    AuthorisationExpired,
    CaptureFailed,
    Outcome,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    RefundFailed,
)
from domain.sagas.money import (
    ActionNeeded,
    AuthorisationLost,
    Authorised,
    Captured,
    CaptureRefused,
    Declined,
    MoneyFact,
    Pending,
    Refunded,
    RefundRefused,
    Voided,
)
from domain.sagas.saga import Saga
from projections.retry import RetryPolicy
from sagas.definition import Ask, AsksAgain, Fails, Means, Reopens, Step, Then, Verdict
from sagas.process import Process

GIVE_BACK: Final = "give the money back"
GIVE_BACK_LATE: Final = "give late money back"
REFUNDS: Final = RetryPolicy(first=2.0, longest=300.0, attempts=6)


OFTEN: Final = 6
"""So often is late money given back by itself: a refund that fails each time is for an operator."""


def give_back(name: str, reason: str) -> Step:
    """Lets go of what is held and gives back what was taken, again after each answer, until nothing is left.

    What there is is for payments to say: they have the ledger. A gateway that refuses a refund for good ends with an
    operator.
    """

    def ask(saga: Saga, attempt: int) -> Ask:
        return Ask(f"/v1/payments/{payment_of_order(saga)}/give-back", {"reason": reason})

    refused = {"NOTHING_TO_GIVE_BACK": Then.GO_ON, "MONEY_UNDER_WAY": Then.WAIT}
    return Step(name, ask, by_fact=True, refused=refused, unlisted=Then.TRY_AGAIN, retry=REFUNDS)


def payment_of_order(saga: Saga) -> PaymentId:
    """The saga's key is the payment's id."""
    return PaymentId(saga.key)


def hear_money(process: Process, saga_of: Callable[[PaymentId], SagaId], *, opens: bool) -> None:
    """Every outcome of the payment, by its id."""

    def of(event: Outcome) -> SagaId:
        return saga_of(PaymentId(event.originator_id))

    for kind, fact in FACTS.items():
        process.hears(kind, saga=of, opens=opens)(fact)


FACTS: Final[dict[type[Outcome], Callable[..., MoneyFact]]] = {
    PaymentAuthorised: lambda e: Authorised(attempt_id=e.attempt_id, amount=e.amount),
    PaymentDeclined: lambda e: Declined(attempt_id=e.attempt_id, code=e.code),
    ActionRequired: lambda e: ActionNeeded(attempt_id=e.attempt_id),
    AttemptPending: lambda e: Pending(attempt_id=e.attempt_id),
    AttemptVoided: lambda e: Voided(attempt_id=e.attempt_id),
    AuthorisationExpired: lambda e: AuthorisationLost(attempt_id=e.attempt_id),
    PaymentCaptured: lambda e: Captured(attempt_id=e.attempt_id, capture_id=e.capture_id, amount=e.amount),
    CaptureFailed: lambda e: CaptureRefused(attempt_id=e.attempt_id, capture_id=e.capture_id, code=e.code),
    PaymentRefunded: lambda e: Refunded(attempt_id=e.attempt_id, refund_id=e.refund_id, amount=e.amount),
    RefundFailed: lambda e: RefundRefused(attempt_id=e.attempt_id, refund_id=e.refund_id, code=e.code),
}


def money_moved(saga: Saga, fact: MoneyFact) -> Means:
    """What any word of the gateway means while money is given back, and when it comes after the end."""
    if saga.step in (GIVE_BACK, GIVE_BACK_LATE):
        if saga.current in saga.asked:
            return Verdict.NOT_YET
        return Fails(saga.step, fact.code) if isinstance(fact, RefundRefused) else AsksAgain(saga.step)
    late = isinstance(fact, Authorised | Captured | RefundRefused)
    if not saga.ended:
        return Verdict.NOT_YET if late else Verdict.NOTHING
    return Reopens(fact.NAME, stuck=saga.times(GIVE_BACK_LATE) >= OFTEN) if late else Verdict.NOTHING
