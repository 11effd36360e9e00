"""Every read model."""

from __future__ import annotations

from typing import Final

from projections.model import Model
from projections.orders.projector import ORDERS

MODELS: Final[tuple[Model, ...]] = (ORDERS,)
