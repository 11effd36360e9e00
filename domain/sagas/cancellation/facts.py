"""What cancellation hears of an order."""

from __future__ import annotations

from uuid import UUID

from domain.sagas.facts import Fact


class CancellationAssigned(Fact):
    """This saga works the order now."""

    NAME = "cancellation-assigned"

    order_id: UUID
