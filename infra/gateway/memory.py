"""A gateway in memory, for tests and benchmarks: the same tokens behave as in the sandbox, without a network.

What the customer, the bank and time do are methods here: `act`, `receive`, `charge_back`, `refund_directly`, `advance`.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Final
from uuid import UUID

from commands.payments.gateway import (
    ActionNeeded,
    Answer,
    Authorise,
    Capture,
    Declined,
    Hook,
    HookKind,
    HookRefused,
    Intent,
    IntentStatus,
    Invalid,
    RateLimited,
    Refund,
    RefundSeen,
    RefundStatus,
    Succeeded,
    Unknown,
    Void,
)
from domain.ids import CaptureId, PaymentId
from domain.money import Money, zero
from domain.value import PaymentMethod
from infra.gateway import answers, signature
from infra.gateway.advice import advice_of
from infra.gateway.amounts import NotSendable, to_stripe, transfer_type
from infra.gateway.faults import AFTER, Fault
from infra.gateway.methods import AUTHENTICATION_FAILED, LATER_CODES, METHODS, SOON, TRANSFER, Behaviour

Request = Authorise | Capture | Void | Refund
Faults = Callable[[str], Fault | None] | Iterable[Fault | None]
"""What goes wrong at a call, by the method's name; or what does at the first, second, ... call, None for nothing."""

WAITING: Final = frozenset({IntentStatus.ACTION_REQUIRED, IntentStatus.PENDING})
ENDED: Final = frozenset({IntentStatus.VOIDED, IntentStatus.AUTH_EXPIRED})
WEBHOOK_KEY: Final = "signs the webhooks of the gateway in memory"


class Refused(Exception):
    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(slots=True)
class Attempt:
    """`held` is what can still be captured."""

    intent: Intent
    behaviour: Behaviour
    created: datetime
    held: Money
    captures: dict[CaptureId, Money] = field(default_factory=dict)


class MemoryGateway:
    """`now` is its clock, which `advance` moves. Everything is done at once, in the one thread of its event loop."""

    name: Final = "memory"

    def __init__(
        self, now: Callable[[], datetime] | None = None, faults: Faults = (), secret: str = WEBHOOK_KEY
    ) -> None:
        self._clock = now or (lambda: datetime.now(UTC))
        self._moved = timedelta()
        self._fault = faults if callable(faults) else taken_from(faults)
        self._secret = secret
        self._attempts: dict[str, Attempt] = {}
        self._of: defaultdict[PaymentId, list[str]] = defaultdict(list)
        self._answers: dict[UUID, tuple[Request, Answer]] = {}
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._number = 0
        self._hooks: deque[Hook] = deque()
        self._posted: dict[str, Hook] = {}

    # The port.

    async def authorise(self, request: Authorise) -> Answer:
        return self._asked("authorise", request, lambda: self._authorise(request))

    async def capture(self, request: Capture) -> Answer:
        return self._asked("capture", request, lambda: self._capture(request))

    async def void(self, request: Void) -> Answer:
        return self._asked("void", request, lambda: self._void(request))

    async def refund(self, request: Refund) -> Answer:
        return self._asked("refund", request, lambda: self._refund(request))

    async def get(self, reference: str) -> Intent | Unknown | RateLimited | None:
        if failed := failure(self._fault("get")):
            return failed
        self._settle()
        attempt = self._attempts.get(reference)
        return attempt.intent if attempt else None

    async def find(self, payment_id: PaymentId) -> Sequence[Intent] | Unknown | RateLimited:
        if failed := failure(self._fault("find")):
            return failed
        self._settle()
        return [self._attempts[reference].intent for reference in reversed(self._of[payment_id])]

    async def since(self, at: datetime) -> Sequence[Intent] | Unknown | RateLimited:
        if failed := failure(self._fault("since")):
            return failed
        self._settle()
        return [attempt.intent for attempt in reversed(self._attempts.values()) if attempt.created >= at]

    def parse(self, body: bytes, headers: Mapping[bytes, bytes], now: datetime) -> Hook:
        signature.check(body, headers, [self._secret], now)
        try:
            return self._posted[json.loads(body)["id"]]
        except (ValueError, KeyError, TypeError) as error:
            raise HookRefused("MALFORMED", f"this is no webhook of ours: {error}") from error

    # What others do.

    def advance(self, by: timedelta) -> None:
        self._moved += by
        self._settle()

    def act(self, reference: str, *, succeed: bool = True) -> None:
        """The customer did at the page what was asked for, or failed to."""
        attempt = self._attempts[reference]
        assert attempt.intent.status is IntentStatus.ACTION_REQUIRED, attempt.intent
        if succeed:
            self._hold(attempt)
        else:
            self._decline(attempt, AUTHENTICATION_FAILED)

    def receive(self, reference: str, *, succeed: bool = True) -> None:
        """The money of a bank transfer came, or will not come."""
        attempt = self._attempts[reference]
        assert attempt.intent.status is IntentStatus.PENDING, attempt.intent
        if not succeed:
            self._decline(attempt, LATER_CODES["money"])
            return
        attempt.held = attempt.intent.amount
        self._took(attempt, attempt.intent.amount)

    def charge_back(self, reference: str) -> None:
        attempt = self._attempts[reference]
        told = HookKind.CHARGE_BACK, "charge.dispute.created"
        self._change(attempt, *told, charged_back=attempt.intent.captured)

    def refund_directly(self, reference: str, amount: Money) -> None:
        """Somebody refunds at the gateway itself."""
        self._give_back(self._attempts[reference], RefundSeen(self._next("re"), None, amount, RefundStatus.SUCCEEDED))

    def drain(self) -> list[Hook]:
        """What happened since the last time, oldest first."""
        self._settle()
        hooks = list(self._hooks)
        self._hooks.clear()
        return hooks

    def post(self, hook: Hook) -> tuple[bytes, dict[bytes, bytes]]:
        """The hook as a webhook, signed now: body and headers."""
        self._posted[hook.id] = hook
        body = json.dumps({"id": hook.id, "type": hook.type}).encode()
        return body, {signature.HEADER: signature.sign(body, self._now(), self._secret).encode()}

    # Keys and faults.

    def _asked(self, name: str, request: Request, act: Callable[[], Answer]) -> Answer:
        fault = self._fault(name)
        failed = failure(fault)
        if failed and fault not in AFTER:
            return failed
        self._settle()
        answer = self._once(request, act)
        if fault is Fault.ERROR_KEPT and isinstance(answer, Declined | Invalid) and not isinstance(request, Authorise):
            self._answers[request.key] = request, Unknown(fault.value, kept=True)
        return failed or answer

    def _once(self, request: Request, act: Callable[[], Answer]) -> Answer:
        if request.key in self._answers:
            return self._again(request, *self._answers[request.key])
        try:
            answer = act()
        except NotSendable as error:
            return Invalid("invalid_amount", str(error))
        except Refused as error:
            answer = Invalid(error.code, str(error))
        self._answers[request.key] = request, answer
        return answer

    def _again(self, request: Request, first: Request, answer: Answer) -> Answer:
        if request != first:
            return Invalid("idempotency_error", f"the key {request.key} was used for another request")
        if not isinstance(answer, Succeeded | ActionNeeded):
            return answer
        intent = self._attempts[answer.intent.reference].intent
        match request:
            case Authorise():
                return answers.of_attempt(intent, already=True)
            case Refund():
                return answers.of_refund(intent, request.refund_id, already=True)
            case _:
                return Succeeded(intent, already=True)

    # What is asked for.

    def _authorise(self, request: Authorise) -> Answer:
        to_stripe(request.amount)
        if request.method is PaymentMethod.BANK_TRANSFER and request.token is None:
            transfer_type(request.amount.currency)
        behaviour = behaviour_of(request)
        attempt = self._opened(request, behaviour)
        if behaviour.declined:
            self._decline(attempt, behaviour.declined)
        elif behaviour.delayed:
            url = f"memory:{attempt.intent.reference}/transfer" if behaviour.transfer else None
            self._change(attempt, HookKind.INTENT, "payment_intent.processing", status=IntentStatus.PENDING, url=url)
        elif behaviour.redirects or request.token is None:
            self._change(attempt, HookKind.INTENT, "payment_intent.requires_action")
        else:
            self._hold(attempt)
        return answers.of_attempt(attempt.intent, already=False)

    def _opened(self, request: Authorise, behaviour: Behaviour) -> Attempt:
        reference, now = self._next("pi"), self._now()
        nothing = zero(request.amount.currency)
        intent = Intent(
            reference,
            IntentStatus.ACTION_REQUIRED,
            request.amount,
            nothing,
            now,
            payment_id=request.payment_id,
            attempt_id=request.attempt_id,
            url=f"memory:{reference}",
        )
        attempt = self._attempts[reference] = Attempt(intent, behaviour, now, nothing)
        self._of[request.payment_id].append(reference)
        return attempt

    def _capture(self, request: Capture) -> Answer:
        to_stripe(request.amount)
        attempt = self._known(request.reference)
        if request.capture_id in attempt.captures:
            return Succeeded(attempt.intent, already=True)
        if not attempt.held:
            raise Refused("payment_intent_unexpected_state", f"nothing is held: it is {attempt.intent.status}")
        if request.amount > attempt.held:
            raise Refused("amount_too_large", f"{request.amount} to be captured, but {attempt.held} is held")
        if code := attempt.behaviour.capture_declined:
            return Declined(attempt.intent, request.reference, code, advice_of(code), self._now())
        attempt.captures[request.capture_id] = request.amount
        self._took(attempt, request.amount, request.capture_id)
        return Succeeded(attempt.intent)

    def _void(self, request: Void) -> Answer:
        attempt = self._known(request.reference)
        if attempt.intent.status in ENDED:
            return Succeeded(attempt.intent, already=True)
        if attempt.intent.status not in WAITING and not attempt.held and attempt.intent.captured:
            if attempt.intent.captured < attempt.intent.amount:
                return Succeeded(attempt.intent, already=True)
            raise Refused("payment_intent_unexpected_state", "all of it is captured: refund it")
        if attempt.intent.status is IntentStatus.PENDING and not attempt.behaviour.transfer:
            raise Refused("payment_intent_unexpected_state", "the money is on its way: refund it when it is there")
        attempt.held = zero(attempt.held.currency)
        status = IntentStatus.CAPTURED if attempt.intent.captured else IntentStatus.VOIDED
        self._change(attempt, HookKind.INTENT, "payment_intent.canceled", status=status, url=None)
        return Succeeded(attempt.intent)

    def _refund(self, request: Refund) -> Answer:
        to_stripe(request.amount)
        attempt = self._known(request.reference)
        if answers.refund_in(attempt.intent, request.refund_id):
            return answers.of_refund(attempt.intent, request.refund_id, already=True)
        if not (left := refundable(attempt.intent)):
            raise Refused("charge_already_refunded", "nothing is left to refund")
        if request.amount > left:
            raise Refused("invalid_request_error", f"{request.amount} to be refunded, but only {left} can be")
        seen = RefundSeen(self._next("re"), request.refund_id, request.amount, attempt.behaviour.refund)
        self._give_back(attempt, seen)
        if later := attempt.behaviour.refund_later:
            self._at(self._now() + SOON, lambda: self._refund_ended(attempt, seen.reference, later))
        return Succeeded(attempt.intent)

    def _known(self, reference: str) -> Attempt:
        if attempt := self._attempts.get(reference):
            return attempt
        raise Refused("resource_missing", f"there is no payment intent {reference}")

    # What it leads to.

    def _hold(self, attempt: Attempt) -> None:
        amount = attempt.held = attempt.intent.amount
        ends = self._now() + attempt.behaviour.hold
        happened = HookKind.INTENT, "payment_intent.amount_capturable_updated"
        held = IntentStatus.AUTHORISED
        self._change(attempt, *happened, status=held, authorised=amount, expires_at=ends, url=None)
        self._at(ends, lambda: self._expire(attempt))

    def _expire(self, attempt: Attempt) -> None:
        if not attempt.held:
            return
        attempt.held = zero(attempt.held.currency)
        if not attempt.intent.captured:
            self._change(attempt, HookKind.INTENT, "payment_intent.canceled", status=IntentStatus.AUTH_EXPIRED)

    def _decline(self, attempt: Attempt, code: str) -> None:
        declined = {"status": IntentStatus.DECLINED, "code": code, "advice": advice_of(code), "url": None}
        self._change(attempt, HookKind.INTENT, "payment_intent.payment_failed", **declined)

    def _took(self, attempt: Attempt, amount: Money, capture_id: CaptureId | None = None) -> None:
        attempt.held -= amount
        captured = attempt.intent.captured + amount
        taken = {"status": IntentStatus.CAPTURED, "captured": captured, "capture_id": capture_id, "url": None}
        self._change(attempt, HookKind.INTENT, "payment_intent.succeeded", **taken)
        if attempt.behaviour.disputed:
            self.charge_back(attempt.intent.reference)

    def _give_back(self, attempt: Attempt, seen: RefundSeen) -> None:
        self._change(attempt, HookKind.REFUND, "refund.created", refunds=(*attempt.intent.refunds, seen))

    def _refund_ended(self, attempt: Attempt, reference: str, status: RefundStatus) -> None:
        code = LATER_CODES["refund"] if status is RefundStatus.FAILED else ""
        refunds = (
            replace(r, status=status, code=code) if r.reference == reference else r for r in attempt.intent.refunds
        )
        self._change(attempt, HookKind.REFUND, f"refund.{'failed' if code else 'updated'}", refunds=tuple(refunds))

    def _change(self, attempt: Attempt, kind: HookKind, type: str, **changes: object) -> None:
        attempt.intent = replace(attempt.intent, at=self._now(), **changes)  # type: ignore[arg-type]
        self._hooks.append(Hook(self._next("evt"), kind, type, self._now(), attempt.intent.reference, attempt.intent))

    # Time.

    def _now(self) -> datetime:
        return self._clock() + self._moved

    def _at(self, due: datetime, act: Callable[[], None]) -> None:
        self._number += 1
        heappush(self._due, (due, self._number, act))

    def _settle(self) -> None:
        now = self._now()
        while self._due and self._due[0][0] <= now:
            heappop(self._due)[2]()

    def _next(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}_{self._number}"


def taken_from(faults: Iterable[Fault | None]) -> Callable[[str], Fault | None]:
    rest = iter(faults)
    return lambda _: next(rest, None)


def failure(fault: Fault | None) -> Unknown | RateLimited | None:
    """What the caller gets to see. A delay is none."""
    if fault is None or fault is Fault.DELAY:
        return None
    return RateLimited(1.0) if fault is Fault.RATE_LIMITED else Unknown(fault.value)


def behaviour_of(request: Authorise) -> Behaviour:
    """Raises Refused for a token that is not one."""
    if request.token is None:
        return TRANSFER if request.method is PaymentMethod.BANK_TRANSFER else Behaviour()
    if request.token in METHODS:
        return METHODS[request.token]
    raise Refused("resource_missing", f"No such PaymentMethod: '{request.token}'")


def refundable(intent: Intent) -> Money:
    spoken_for = sum(
        (refund.amount for refund in intent.refunds if refund.status is not RefundStatus.FAILED),
        intent.charged_back or zero(intent.amount.currency),
    )
    return intent.captured - spoken_for if intent.captured > spoken_for else zero(intent.amount.currency)
