"""The claim that makes an e-mail address unique."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.claim import Claim, ClaimStatus
from domain.event import after, first
from domain.ids import ClaimId
from domain.users.errors import EmailTaken
from domain.users.events import EmailClaimed, EmailReleased


def claim_email(claim: Claim | None, id: ClaimId, holder: UUID, *, at: datetime) -> EmailClaimed | None:
    """Raises EmailTaken."""
    if claim is None:
        return EmailClaimed(**first(id, at), holder=holder)
    if claim.held_by_other(holder):
        raise EmailTaken
    return EmailClaimed(**after(claim, at), holder=holder) if claim.status is ClaimStatus.FREE else None


def release_email(claim: Claim, holder: UUID, *, at: datetime) -> EmailReleased | None:
    """Only its holder gives it back."""
    if claim.status is ClaimStatus.FREE or claim.holder != holder:
        return None
    return EmailReleased(**after(claim, at))
