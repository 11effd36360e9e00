"""Every read model."""

from __future__ import annotations

from typing import Final

from projections.model import Model
from projections.notifications.projector import NOTIFICATIONS
from projections.operations.projector import OPERATIONS
from projections.orders.projector import ORDERS
from projections.payments.projector import PAYMENTS
from projections.products.projector import PRODUCTS
from projections.sagas.projector import SAGAS
from projections.sales.projector import SALES
from projections.users.projector import USERS

MODELS: Final[tuple[Model, ...]] = (NOTIFICATIONS, OPERATIONS, ORDERS, PAYMENTS, PRODUCTS, SAGAS, SALES, USERS)
