"""Every read model."""

from __future__ import annotations

from typing import Final

from projections.model import Model
from projections.orders.projector import ORDERS
from projections.products.projector import PRODUCTS
from projections.users.projector import USERS

MODELS: Final[tuple[Model, ...]] = (ORDERS, PRODUCTS, USERS)
