"""How the audit log is looked up."""

from __future__ import annotations

from typing import Final

from projections.listing import Listing, Ordering
from projections.operations.projector import operations

OPERATIONS: Final = Listing(operations.table)

LATEST_FIRST: Final = Ordering("requested_at", descending=True)
