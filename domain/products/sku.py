"""A SKU belongs to one variant at a time: the claim on it."""

from __future__ import annotations

from datetime import datetime

from domain.claim import Claim, ClaimStatus
from domain.event import after, first
from domain.ids import ClaimId, VariantId
from domain.products.errors import SkuTakenAlready
from domain.products.events import SkuFreed, SkuTaken


def normalised(sku: str) -> str:
    """What may be there only once: upper and lower case are the same SKU."""
    return sku.upper()


def take(claim: Claim | None, id: ClaimId, sku: str, holder: VariantId, *, at: datetime) -> SkuTaken:
    """`claim` is None when nobody ever had it. Raises SkuTakenAlready."""
    if claim is None:
        return SkuTaken(**first(id, at), holder=holder)
    if claim.status is ClaimStatus.TAKEN:
        raise SkuTakenAlready(sku)
    return SkuTaken(**after(claim, at), holder=holder)


def free(claim: Claim, *, at: datetime) -> SkuFreed:
    return SkuFreed(**after(claim, at))
