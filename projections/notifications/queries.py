"""How notifications are looked up."""

from __future__ import annotations

from typing import Final

from projections.listing import Listing
from projections.notifications.projector import notifications

NOTIFICATIONS: Final = Listing(notifications.table)
