"""What checkout hears of an order."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.money import Money
from domain.sagas.facts import Fact
from domain.value import PaymentMethod


class Wanted(BaseModel):
    """So many of a variant; the same on two lines of the order is one here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variant_id: UUID
    quantity: int


class Placed(Fact):
    NAME = "order-placed"

    order_id: UUID
    lines: tuple[Wanted, ...]
    total: Money
    method: PaymentMethod


class CancellationWished(Fact):
    """The order waits to be cancelled."""

    NAME = "cancellation-requested"
