"""What a return hears of its order."""

from __future__ import annotations

from uuid import UUID

from domain.money import Money
from domain.sagas.facts import Fact


class Returned(Fact):
    """Goods came back; so much is owed for them."""

    NAME = "order-returned"

    order_id: UUID
    return_id: UUID
    refund: Money
    restock: bool


class ReturnAssigned(Fact):
    """This saga works the order now."""

    NAME = "return-assigned"

    order_id: UUID
