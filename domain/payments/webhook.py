"""A webhook of a gateway: the inbox in which each is kept once, whether or not it is about a payment of ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime

from domain.event import Event, first
from domain.ids import PaymentId, derive
from domain.payments.events import Reference


class WebhookEvent(Event):
    """Base of every event of a webhook."""


class WebhookReceived(WebhookEvent):
    """The gateway told us something. `matched` is the payment it is about, None where it is about none of ours."""

    TOPIC = "payments.webhook-received"

    gateway: str
    hook_id: Reference
    type: Reference  # the gateway's own name of what happened
    reference: Reference | None
    happened_at: AwareDatetime
    matched: PaymentId | None


class WebhookStatus(StrEnum):
    MATCHED = "MATCHED"
    UNMATCHED = "UNMATCHED"


@dataclass(frozen=True, slots=True)
class Webhook:
    id: UUID
    version: int
    matched: PaymentId | None

    @property
    def status(self) -> WebhookStatus:
        return WebhookStatus.UNMATCHED if self.matched is None else WebhookStatus.MATCHED


def webhook_of(gateway: str, hook_id: str) -> UUID:
    """The one id that a webhook has, however often it is sent."""
    return derive("webhook", f"{gateway}/{hook_id}")


def receive(
    gateway: str,
    hook_id: str,
    type: str,
    reference: str | None,
    happened_at: datetime,
    matched: PaymentId | None,
    *,
    at: datetime,
) -> WebhookReceived:
    return WebhookReceived(
        **first(webhook_of(gateway, hook_id), at),
        gateway=gateway,
        hook_id=hook_id,
        type=type,
        reference=reference,
        happened_at=happened_at,
        matched=matched,
    )


def evolve(webhook: Webhook | None, event: WebhookReceived) -> Webhook:
    return Webhook(event.originator_id, event.originator_version, event.matched)
