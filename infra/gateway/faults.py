"""What can go wrong between us and a gateway, on demand."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """Of a request: BEFORE, nothing is done; AFTER, it is done as it was asked for, and only the answer fails."""

    DELAY = "delay"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    RATE_LIMITED = "rate_limited"  # 429, before
    ERROR_BEFORE = "error_before"  # 500
    ERROR_AFTER = "error_after"
    ERROR_KEPT = "error_kept"  # 500, after, and the same 500 again for the same key, as Stripe's API v1 does it
    CUT = "cut"  # after; the connection is broken off

    # Of a webhook.
    DUPLICATE = "duplicate"
    LATE = "late"
    REORDERED = "reordered"  # comes after the next one
    LOST = "lost"


WEBHOOK_FAULTS = frozenset({Fault.DUPLICATE, Fault.LATE, Fault.REORDERED, Fault.LOST})
AFTER = frozenset({Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER, Fault.ERROR_KEPT, Fault.CUT})
"""The thing is done all the same."""
