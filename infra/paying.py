"""Asks the gateway for what payments want of it: in the to-do worker, with one outcome in the log for each request.

    AttemptCreated, CaptureRequested, VoidRequested, RefundRequested -> row -> gateway, under the key of the event
    -> outcome

What cannot be told is asked again under the same key, for as long as the gateway keeps keys; from then on, and where
asking again does not help, the gateway is first looked at. Where it repeats an error of its own and has not done it,
it is asked under another key, which follows from the first: of an intent that we can name the gateway tells at once
what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, assert_never
from uuid import UUID

from commands.payments.gateway import (
    Answer,
    Authorise,
    Capture,
    Declined,
    Gateway,
    Intent,
    Invalid,
    RateLimited,
    Refund,
    Succeeded,
    Unknown,
    Void,
)
from commands.payments.messages import RecordAnswer
from commands.payments.reports import Asked, Request, answered, of_answer
from commands.reply import Envelope
from commands.services import Loop, utc_now
from domain.actor import service
from domain.event import JSON, Erased
from domain.ids import AttemptId, CaptureId, RefundId, derive
from domain.payments.attempt import Attempt, Entry
from domain.payments.events import Advice, AttemptCreated, CaptureRequested, RefundRequested, VoidRequested
from domain.payments.payment import Payment, evolve
from projections.asking import Rule
from projections.doing import Done, Failed, Kind, Later, Outcome
from projections.feed import Recorded
from projections.retry import UNTIL_DONE
from projections.todo import Work

KIND: Final = "gateway"
WORKER: Final = service("gateway")
KEYS_LIVE: Final = timedelta(hours=20)  # gateways keep them for a day
LOOK_FROM: Final = 3  # attempts: a gateway may repeat its own error for as long as it keeps the key
LAG: Final = timedelta(minutes=2)  # until a gateway finds by our ids what it was just asked for
ANEW: Final = 1.0  # seconds until what the gateway did not do is asked for under another key
LOST_AFTER: Final = 600.0  # seconds after which what is not in the log is taken to be lost
LONGEST_WAIT: Final = 60.0  # seconds between looks whether an attempt has got its reference
LONGEST_LOOK: Final = 3600.0  # seconds between looks at what the gateway has under way


class NotTold(Exception):
    """The gateway did not say what came of it."""


class NotVoided(Exception):
    """The gateway would not let go of it, and yet it says that it holds it."""

    def __init__(self, refusal: Invalid) -> None:
        super().__init__(f"the gateway did not void it: {refusal.code}, {refusal.why}")


class NotThere(Exception):
    def __init__(self) -> None:
        super().__init__("the log of payments has it not, as this process sees it: was the log moved, or restored?")


class NotRecorded(Exception):
    def __init__(self, request: Request) -> None:
        super().__init__(f"what was said of this {request.asked} does not end it: it is asked again")


class Stream(Protocol):
    async def stream(
        self, id: UUID, after_version: int = 0, upto_position: int | None = None, limit: int | None = None
    ) -> list[Recorded]: ...


@dataclass(frozen=True, slots=True)
class Answered(Done):
    """Done with what the gateway said, which the row does not keep: the log does."""

    answer: Answer | None = None


def data_of(asked: Asked, entry: str = "") -> Callable[[Any], JSON]:
    """What a row says: which request, and since when. `entry` is the field with the id of the capture or refund."""

    def data(event: Any) -> JSON:
        return {
            "asked": asked,
            "attempt": str(event.attempt_id),
            "entry": str(getattr(event, entry)) if entry else None,
            "version": event.originator_version,
            "since": event.timestamp.isoformat(),
        }

    return data


RULES: Final = (
    Rule(AttemptCreated, KIND, data_of(Asked.AUTHORISE)),
    Rule(CaptureRequested, KIND, data_of(Asked.CAPTURE, "capture_id")),
    Rule(VoidRequested, KIND, data_of(Asked.VOID)),
    Rule(RefundRequested, KIND, data_of(Asked.REFUND, "refund_id")),
)
"""Which events of the log of payments ask the gateway for something."""


class AskGateway:
    """The act of the kind `gateway`. `payments` is the write loop of that context, `log` its log."""

    def __init__(self, payments: Loop, log: Stream, gateway: Gateway, now: Callable[[], datetime] = utc_now) -> None:
        self._payments = payments
        self._log = log
        self._gateway = gateway
        self._now = now

    async def known(self, work: Work) -> Outcome | None:
        """What a log that was cut back or restored does not know any more is not to be asked for."""
        payment, request = await self._payment(work), request_of(work)
        if payment is not None and payment.attempt(request.attempt_id) is not None:
            return Done() if answered(payment, request) else None
        if work.tried_for < LOST_AFTER:
            raise NotThere
        return Failed("the log of payments has it no more")

    async def do(self, work: Work) -> Outcome | Later:
        """Raises NotTold, NotVoided."""
        payment, request = await self._payment(work), request_of(work)
        assert payment is not None
        attempt = payment.attempt(request.attempt_id)
        assert attempt is not None
        answer = await self._answer(work, payment, attempt, request)
        match answer:
            case None:
                return again(work, "waits", 1.0, LONGEST_WAIT)
            case Unknown(kept=True) if work.attempt >= LOOK_FROM and request.asked is not Asked.AUTHORISE:
                return again(work, "rounds", ANEW, LONGEST_WAIT)
            case Unknown(why):
                raise NotTold(why)
            case RateLimited(seconds):
                return Later(seconds, work.data)
        if ends(payment, request, answer, self._now()):
            return Answered(answer=answer)
        return again(work, "looks", 30.0, LONGEST_LOOK)

    async def record(self, work: Work, outcome: Outcome) -> None:
        """Recorded twice it is one outcome: what is known already is no event. Raises NotRecorded."""
        if not isinstance(outcome, Answered) or outcome.answer is None:
            raise TypeError(f"the gateway is asked until it answers, yet this ended: {outcome}")
        request = request_of(work)
        command = RecordAnswer(request=request, answer=outcome.answer).bind(by=WORKER, target=work.subject)
        envelope = Envelope(command, work.correlation_id, causation_id=work.causation_id, traceparent=work.traceparent)
        (await self._payments.submit(envelope)).result()
        payment = await self._payment(work)
        if payment is None or not answered(payment, request):
            raise NotRecorded(request)

    async def _payment(self, work: Work) -> Payment | None:
        return (await self._payments.states([work.subject])).get(work.subject, Payment)

    async def _answer(self, work: Work, payment: Payment, attempt: Attempt, request: Request) -> Answer | None:
        """None while it cannot be asked for yet."""
        if looks_first(work, self._now()):
            found = await self._found(payment, attempt, request)
            if isinstance(found, Unknown | RateLimited):
                return found
            if found is not None and (under_way(work) or ends(payment, request, found, self._now())):
                return found
            if under_way(work):
                raise NotTold("the gateway took it, and has it no more")
        match request.asked:
            case Asked.AUTHORISE:
                return await self._authorised(work, payment, attempt)
            case Asked.CAPTURE:
                return await self._captured(work, attempt, request)
            case Asked.VOID:
                return await self._voided(work, payment, attempt, request)
            case Asked.REFUND:
                return await self._refunded(work, attempt, request)
            case _:
                assert_never(request.asked)

    async def _found(
        self, payment: Payment, attempt: Attempt, request: Request
    ) -> Succeeded | Unknown | RateLimited | None:
        """The attempt as the gateway has it."""
        found = await (self._gateway.get(attempt.reference) if attempt.reference else self._searched(payment, attempt))
        return Succeeded(found, already=True) if isinstance(found, Intent) else found

    async def _searched(self, payment: Payment, attempt: Attempt) -> Intent | Unknown | RateLimited | None:
        """By our own id, while we do not know the gateway's."""
        found = await self._gateway.find(payment.id)
        if isinstance(found, Unknown | RateLimited):
            return found
        return next((intent for intent in found if intent.attempt_id == attempt.id), None)

    async def _authorised(self, work: Work, payment: Payment, attempt: Attempt) -> Answer:
        token = await self._token(work)
        if isinstance(token, Erased):
            return await self._erased(work, payment, attempt)
        order_id, method, amount = payment.order_id, attempt.method, attempt.amount
        wanted = Authorise(attempt.gateway_key, payment.id, order_id, attempt.id, method, amount, token)
        return await self._gateway.authorise(wanted)

    async def _token(self, work: Work) -> str | Erased | None:
        """From the event: the state does not keep it."""
        (recorded,) = await self._log.stream(work.subject, work.data["version"] - 1, limit=1)
        if not isinstance(recorded.event, AttemptCreated):
            raise TypeError(f"version {work.data['version']} of {work.subject} cannot be read as what it was")
        return recorded.event.token

    async def _erased(self, work: Work, payment: Payment, attempt: Attempt) -> Answer:
        """Nothing is asked of an erased customer any more, unless it was before they were erased."""
        found = await self._searched(payment, attempt)
        if isinstance(found, Unknown | RateLimited):
            return found
        if found is not None:
            return Succeeded(found, already=True)
        if work.attempt > 1 and work.tried_for < LAG.total_seconds():
            return Unknown("whether it was asked for before the customer was erased shows in a while")
        return Invalid("customer_erased", "the customer was erased before they were charged")

    async def _captured(self, work: Work, attempt: Attempt, request: Request) -> Answer | None:
        if attempt.reference is None:
            return None
        entry = entry_of(attempt.captures, request)
        wanted = Capture(key_in(work, entry.gateway_key), attempt.reference, CaptureId(entry.id), entry.amount)
        return await self._checked(attempt.reference, await self._gateway.capture(wanted))

    async def _refunded(self, work: Work, attempt: Attempt, request: Request) -> Answer | None:
        if attempt.reference is None:
            return None
        entry = entry_of(attempt.refunds, request)
        wanted = Refund(key_in(work, entry.gateway_key), attempt.reference, RefundId(entry.id), entry.amount)
        return await self._checked(attempt.reference, await self._gateway.refund(wanted))

    async def _checked(self, reference: str, answer: Answer) -> Answer:
        """What is refused may be done already, by another hand or under a key that the gateway has forgotten."""
        if not isinstance(answer, Invalid):
            return answer
        found = await self._gateway.get(reference)
        if found is None:
            return answer
        if not isinstance(found, Intent):
            return found
        return Declined(found, reference, answer.code, Advice.NONE, found.at)

    async def _voided(self, work: Work, payment: Payment, attempt: Attempt, request: Request) -> Answer | None:
        """Of an attempt of which nothing is known yet it is found out first what there is to void."""
        reference = attempt.reference
        if reference is None:
            found = await self._searched(payment, attempt)
            if not isinstance(found, Intent):
                return found
            reference = found.reference
        answer = await self._gateway.void(Void(key_in(work, attempt.void_key), reference))
        return await self._instead(payment, request, reference, answer) if isinstance(answer, Invalid) else answer

    async def _instead(self, payment: Payment, request: Request, reference: str, refusal: Invalid) -> Answer:
        """It cannot be voided: captured meanwhile, most likely, or over by itself. Raises NotVoided."""
        found = await self._gateway.get(reference)
        if isinstance(found, Unknown | RateLimited):
            return found
        if found is not None and ends(payment, request, instead := Succeeded(found, already=True), self._now()):
            return instead
        raise NotVoided(refusal)


def gateway_kind(payments: Loop, log: Stream, gateway: Gateway, *, at_once: int | None = None) -> Kind:
    return Kind(KIND, UNTIL_DONE, AskGateway(payments, log, gateway), at_once)


def request_of(work: Work) -> Request:
    entry = work.data["entry"]
    return Request(Asked(work.data["asked"]), AttemptId(UUID(work.data["attempt"])), UUID(entry) if entry else None)


def looks_first(work: Work, now: datetime) -> bool:
    """Whether it may be done already, in a way that asking again does not tell."""
    asked = datetime.fromisoformat(work.data["since"])
    old = max(now - asked, timedelta(seconds=work.tried_for)) > KEYS_LIVE
    return old or work.attempt >= LOOK_FROM or under_way(work)


def under_way(work: Work) -> bool:
    """The gateway has taken it, and did not say yet how it ended."""
    return "looks" in work.data


def again(work: Work, count: str, first: float, longest: float) -> Later:
    """In a while, which grows each time."""
    times = work.data.get(count, 0)
    return Later(min(longest, first * 2.0 ** min(times, 20)), work.data | {count: times + 1})


def ends(payment: Payment, request: Request, answer: Answer, at: datetime) -> bool:
    """Whether the request has an outcome once this is recorded."""
    return answered(after(payment, of_answer(payment, request, answer, at=at)), request)


def after(payment: Payment, events: Sequence[Any]) -> Payment:
    for event in events:
        payment = evolve(payment, event)
    return payment


def entry_of(entries: Sequence[Entry], request: Request) -> Entry:
    return next(entry for entry in entries if entry.id == request.entry_id)


def key_in(work: Work, key: UUID | None) -> UUID:
    """The key of a request, or the one that follows from it in a later round."""
    assert key is not None, "what we asked for has a key"
    rounds = work.data.get("rounds", 0)
    return derive("gateway-key", f"{key}/{rounds}") if rounds else key
