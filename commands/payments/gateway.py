"""The port to a payment gateway: what it is asked, and the closed set of what it can answer.

Every request that moves money carries a key: sent again under it, the gateway does the thing once and answers the same.
No answer is an exception: what cannot be told - a time-out, a broken connection, a 5xx - is `Unknown`, and is asked
again under the same key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.ids import AttemptId, CaptureId, OrderId, PaymentId, RefundId
from domain.money import Money
from domain.payments.events import Advice
from domain.value import PaymentMethod


@dataclass(frozen=True, slots=True)
class Authorise:
    """Hold this much of the customer's money. `token` is the gateway's name for card or account, None to be asked."""

    key: UUID
    payment_id: PaymentId
    order_id: OrderId
    attempt_id: AttemptId
    method: PaymentMethod
    amount: Money
    token: str | None


@dataclass(frozen=True, slots=True)
class Capture:
    """Take this much of what is held under `reference`; what is left of it stays held."""

    key: UUID
    reference: str
    capture_id: CaptureId
    amount: Money


@dataclass(frozen=True, slots=True)
class Void:
    """Let go of what is held under `reference`."""

    key: UUID
    reference: str


@dataclass(frozen=True, slots=True)
class Refund:
    key: UUID
    reference: str
    refund_id: RefundId
    amount: Money


class IntentStatus(StrEnum):
    """How an attempt stands at the gateway."""

    ACTION_REQUIRED = "ACTION_REQUIRED"
    PENDING = "PENDING"
    AUTHORISED = "AUTHORISED"
    CAPTURED = "CAPTURED"  # wholly or in part: see `Intent.captured`
    DECLINED = "DECLINED"
    VOIDED = "VOIDED"
    AUTH_EXPIRED = "AUTH_EXPIRED"


class RefundStatus(StrEnum):
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class RefundSeen:
    """A refund as the gateway has it. The id is None where somebody refunded at the gateway itself."""

    reference: str
    refund_id: RefundId | None
    amount: Money
    status: RefundStatus
    code: str = ""  # why it failed


@dataclass(frozen=True, slots=True)
class Intent:
    """An attempt as the gateway has it. `at` is the gateway's own time of the latest change.

    The ids are None where it was not us who made it. `capture_id` is that of the last capture that was asked for by us.
    """

    reference: str
    status: IntentStatus
    amount: Money
    captured: Money
    at: datetime
    payment_id: PaymentId | None = None
    attempt_id: AttemptId | None = None
    capture_id: CaptureId | None = None
    authorised: Money | None = None
    expires_at: datetime | None = None  # of the authorisation
    url: str | None = None  # where the customer has to go
    code: str = ""  # why it was declined
    advice: Advice = Advice.NONE
    charged_back: Money | None = None
    refunds: tuple[RefundSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class Succeeded:
    """It was done; the attempt is as it stands now. `already`: it had been done before, under this key or another."""

    intent: Intent
    already: bool = False


@dataclass(frozen=True, slots=True)
class Declined:
    """The customer's bank, or the gateway's own checks, said no."""

    intent: Intent | None
    reference: str
    code: str
    advice: Advice
    at: datetime


@dataclass(frozen=True, slots=True)
class ActionNeeded:
    """The customer has to do something first, or the money is on its way (`Intent.status` says which)."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class Unknown:
    """Whether it was done cannot be told: ask again under the same key.

    `kept`: the gateway repeats an error of its own under this key and, looked at, has not done it. It will not do it
    under this key, for as long as it keeps that: ask under another.
    """

    why: str
    kept: bool = False


@dataclass(frozen=True, slots=True)
class RateLimited:
    """It was not done. Ask again under the same key, in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Invalid:
    """It will never be done as it was asked: the gateway names why."""

    code: str
    why: str


Answer = Succeeded | Declined | ActionNeeded | Unknown | RateLimited | Invalid


class HookKind(StrEnum):
    """What a webhook tells of. Whatever it says, `Gateway.get` tells the same and more."""

    INTENT = "INTENT"
    REFUND = "REFUND"
    CHARGE_BACK = "CHARGE_BACK"
    OTHER = "OTHER"  # nothing that concerns payments


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook whose signature and time were good.

    `id` is the gateway's own for it, the same each time it is sent. `intent` is the attempt as it was at `at`, None
    where the message does not hold it.
    """

    id: str
    kind: HookKind
    type: str  # the gateway's own name of what happened
    at: datetime
    reference: str | None
    intent: Intent | None


class HookRefused(Exception):
    """`SIGNATURE` is not good, its time is `TOO_OLD`, or the body is not what it should be: `MALFORMED`."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


class Gateway(Protocol):
    """Raises nothing but asyncio.CancelledError, and what `parse` says."""

    @property
    def name(self) -> str:
        """Of the gateway, as in `/v1/webhooks/{name}`."""
        ...

    async def authorise(self, request: Authorise) -> Answer: ...
    async def capture(self, request: Capture) -> Answer: ...
    async def void(self, request: Void) -> Answer: ...
    async def refund(self, request: Refund) -> Answer: ...

    async def get(self, reference: str) -> Intent | Unknown | RateLimited | None:
        """The attempt as it stands, refunds included; None if the gateway has it not."""
        ...

    async def find(self, payment_id: PaymentId) -> Sequence[Intent] | Unknown | RateLimited:
        """Every attempt of a payment that the gateway has, newest first. May lag behind by a minute."""
        ...

    async def since(self, at: datetime) -> Sequence[Intent] | Unknown | RateLimited:
        """Every attempt made since then, for verification."""
        ...

    def parse(self, body: bytes, headers: Mapping[bytes, bytes], now: datetime) -> Hook:
        """Raises HookRefused."""
        ...
