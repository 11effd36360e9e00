"""Looks at attempts that wait for the customer or for the bank: a webhook that is lost loses nothing.

ActionRequired, AttemptPending -> row, due after a minute -> the attempt as it stands, with growing pauses
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from commands.payments.gateway import Gateway, Intent, RateLimited, Unknown
from commands.payments.messages import RecordIntent
from commands.payments.reports import of_intent
from commands.reply import Envelope
from commands.services import Loop, utc_now
from domain.event import JSON
from domain.ids import AttemptId
from domain.payments.attempt import Attempt, AttemptStatus
from domain.payments.events import ActionRequired, AttemptPending
from domain.payments.payment import Payment
from infra.paying import LONGEST_LOOK, LOST_AFTER, WORKER, NotThere, NotTold, after, again
from projections.asking import Rule
from projections.doing import Done, Failed, Kind, Later, Outcome
from projections.retry import UNTIL_DONE
from projections.todo import Work

KIND: Final = "gateway-look"
FIRST_LOOK: Final = timedelta(minutes=1)


class NotAtGateway(Exception):
    def __init__(self, reference: str | None) -> None:
        super().__init__(f"the gateway has no {reference or 'such attempt'}: is it another account's?")


@dataclass(frozen=True, slots=True)
class Seen(Done):
    intent: Intent | None = None


def data_of(status: AttemptStatus) -> Callable[[Any], JSON]:
    def data(event: Any) -> JSON:
        return {"attempt": str(event.attempt_id), "status": status}

    return data


def soon(event: Any) -> datetime:
    timestamp: datetime = event.timestamp
    return timestamp + FIRST_LOOK


RULES: Final = (
    Rule(ActionRequired, KIND, data_of(AttemptStatus.ACTION_REQUIRED), soon),
    Rule(AttemptPending, KIND, data_of(AttemptStatus.PENDING), soon),
)
"""Which events of the log of payments make us look."""


class LookAtGateway:
    """The act of the kind `gateway-look`. A row is about one status: the next one has a row of its own."""

    def __init__(self, payments: Loop, gateway: Gateway, now: Callable[[], datetime] = utc_now) -> None:
        self._payments = payments
        self._gateway = gateway
        self._now = now

    async def known(self, work: Work) -> Outcome | None:
        payment = await self._payment(work)
        if payment is not None and (attempt := attempt_of(payment, work)) is not None:
            return None if waits(attempt, work) else Done()
        if work.tried_for < LOST_AFTER:
            raise NotThere
        return Failed("the log of payments has it no more")

    async def do(self, work: Work) -> Outcome | Later:
        """Raises NotTold, NotAtGateway."""
        payment = await self._payment(work)
        assert payment is not None
        attempt = attempt_of(payment, work)
        assert attempt is not None
        found = await self._gateway.get(attempt.reference) if attempt.reference else None
        match found:
            case None:
                raise NotAtGateway(attempt.reference)
            case Unknown(why):
                raise NotTold(why)
            case RateLimited(seconds):
                return Later(seconds, work.data)
        changed = attempt_of(after(payment, of_intent(payment, found, at=self._now())), work)
        if changed is None or waits(changed, work):
            return again(work, "looks", 2 * FIRST_LOOK.total_seconds(), LONGEST_LOOK)
        return Seen(intent=found)

    async def record(self, work: Work, outcome: Outcome) -> None:
        if not isinstance(outcome, Seen) or outcome.intent is None:
            raise TypeError(f"a payment is looked at until it is settled, yet this ended: {outcome}")
        command = RecordIntent(intent=outcome.intent).bind(by=WORKER, target=work.subject)
        envelope = Envelope(command, work.correlation_id, causation_id=work.causation_id, traceparent=work.traceparent)
        (await self._payments.submit(envelope)).result()

    async def _payment(self, work: Work) -> Payment | None:
        return (await self._payments.states([work.subject])).get(work.subject, Payment)


def look_kind(payments: Loop, gateway: Gateway, *, at_once: int | None = None) -> Kind:
    return Kind(KIND, UNTIL_DONE, LookAtGateway(payments, gateway), at_once)


def attempt_of(payment: Payment, work: Work) -> Attempt | None:
    return payment.attempt(AttemptId(UUID(work.data["attempt"])))


def waits(attempt: Attempt, work: Work) -> bool:
    return attempt.told == AttemptStatus(work.data["status"])
