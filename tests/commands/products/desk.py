"""The handlers of this context at work on states in memory."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from commands.handler import Answer
from commands.message import Command
from commands.products.handlers import HANDLERS
from commands.products.messages import AddClaimedVariant, DraftClaimedProduct, NewVariant, Reserve, RestockReturn
from domain.actor import service
from domain.aggregate import States
from domain.event import Event
from domain.ids import ClaimId, OrderId, ProductId, ReservationId, ReturnId, VariantId, derive, new_id
from domain.money import Money
from domain.products import CONTEXT
from domain.products.value import ReservedLine, ReturnedLine
from tests.specification import AT, as_list

STAFF = service("test")


class Desk:
    """Carries commands out one after another. A refusal is raised and leaves everything as it was."""

    def __init__(self) -> None:
        self.states: dict[UUID, Any] = {}
        self.events: list[Event] = []

    def do(self, command: Command, target: UUID | None = None) -> Answer:
        handler, command = HANDLERS[type(command)], command.bind(by=STAFF, target=target)
        after = dict(self.states)
        named = self.named(handler.needs(command, States(self.states.get)))
        events = as_list(handler.decide(command, States(named.__getitem__), AT, new_id))
        for event in events:
            version = after[event.originator_id].version if event.originator_id in after else 0
            assert event.originator_version == version + 1
            after[event.originator_id] = CONTEXT.evolve(after.get(event.originator_id), event)
        self.states, self.events = after, events
        return handler.answer(command, States(after.get))

    def named(self, ids: Any) -> dict[UUID, Any]:
        """The states of just these ids: what else a decision reads is a KeyError."""
        return {id: self.states.get(id) for id in ids}


def claim(sku: str) -> ClaimId:
    return ClaimId(derive("claim", sku.upper()))


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def new_variant(sku: str, id: UUID | None = None, price: int = 1000, **values: str) -> NewVariant:
    return NewVariant(id=VariantId(id or new_id()), sku=sku, values=values, price=eur(price))


def draft(*variants: NewVariant, id: UUID | None = None, **fields: Any) -> DraftClaimedProduct:
    fields = {"name": "Tea", "options": tuple(variants[0].values)} | fields
    claims = tuple(claim(v.sku) for v in variants)
    return DraftClaimedProduct(id=ProductId(id or new_id()), variants=variants, claims=claims, **fields)


def add_variant(sku: str, **values: str) -> AddClaimedVariant:
    return AddClaimedVariant(sku=sku, values=values, price=eur(1000), claim_id=claim(sku))


def reserve(*lines: tuple[UUID, int], id: UUID | None = None) -> Reserve:
    asked = tuple(ReservedLine(variant_id=VariantId(v), quantity=n) for v, n in lines)
    return Reserve(id=ReservationId(id or new_id()), order_id=OrderId(new_id()), lines=asked)


def restock(*lines: tuple[UUID, int]) -> RestockReturn:
    back = tuple(ReturnedLine(variant_id=VariantId(v), quantity=n) for v, n in lines)
    return RestockReturn(order_id=OrderId(new_id()), return_id=ReturnId(new_id()), lines=back)
