"""How orders are looked up."""

from __future__ import annotations

from typing import Final

from projections.listing import Listing
from projections.orders.projector import orders

ORDERS: Final = Listing(orders.table)
