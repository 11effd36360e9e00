"""How operations are looked up; `projections.audit` has all that is in the audit log."""

from __future__ import annotations

from typing import Final

from projections.listing import Listing, Ordering
from projections.operations.projector import operations

OPERATIONS: Final = Listing(operations.table)

LATEST_FIRST: Final = Ordering("requested_at", descending=True)
