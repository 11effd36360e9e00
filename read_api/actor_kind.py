"""Who did something, as far as customers may know it."""

from __future__ import annotations

from enum import Enum
from uuid import UUID

from read_api.described import described


class ActorKind(Enum):
    CUSTOMER = "CUSTOMER"
    STAFF = "STAFF"
    SYSTEM = "SYSTEM"


described(
    ActorKind,
    "Who did something, as a customer may know it.",
    CUSTOMER="The customer.",
    STAFF="Somebody of the shop.",
    SYSTEM="The shop's own machinery.",
)


def kind_of(actor: str, customer_id: UUID | None) -> ActorKind:
    """`actor` is as it was recorded with an event."""
    if customer_id is not None and actor == f"user:{customer_id}":
        return ActorKind.CUSTOMER
    return ActorKind.STAFF if actor.startswith("user:") else ActorKind.SYSTEM
