"""A saga's money and goods: what it held, took and gave back, as far as it asked for it or heard of it.

Money is in minor units of one currency, goods are in units. An order's balance is the sum of its sagas' balances: what
checkout took, cancellation and returns give back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final
from uuid import UUID

from immutables import Map

from domain.persistent import AsObject
from domain.sagas.events import AnySagaEvent, CommandDispatched, InputKind, InputReceived, InputUsed
from domain.sagas.money import AuthorisationLost, Authorised, Captured, Declined, Refunded, Voided
from domain.sagas.saga import ACCEPTED, Input

RESERVE: Final = "/v1/reservations"
COMMIT: Final = "commit"
PUT_BACK: Final = "put-back"


@dataclass(frozen=True, slots=True)
class Balance:
    """`held` is authorised money that was neither taken nor let go. `pending` are commands that move goods."""

    currency: str | None = None
    held: int = 0
    captured: int = 0
    refunded: int = 0
    reserved: int = 0
    committed: int = 0
    released: int = 0
    units: int = 0  # of the newest reservation
    pending: Annotated[Map[UUID, str], AsObject()] = field(default_factory=Map)

    @property
    def money(self) -> int:
        """What the shop has of the customer's money, or holds."""
        return self.held + self.captured - self.refunded

    @property
    def paid(self) -> int:
        """What the shop has taken of the customer's money and not given back: what is only held is not among it."""
        return self.captured - self.refunded

    @property
    def goods(self) -> int:
        """Units that are held and neither sent on their way nor put back."""
        return self.reserved - self.committed - self.released


def evolve(balance: Balance, event: AnySagaEvent, inbox: tuple[Input, ...]) -> Balance:
    """`inbox` is the saga's before the event: what is used of it counts now."""
    match event:
        case CommandDispatched():
            return asked(balance, event)
        case InputReceived(used=True):
            return heard(balance, event.input_id, event.kind, event.name, event.facts)
        case InputUsed(input_id=id):
            used = next(input for input in inbox if input.id == id)
            return heard(balance, used.id, used.kind, used.name, used.facts)
        case _:
            return balance


def asked(balance: Balance, event: CommandDispatched) -> Balance:
    if event.path == RESERVE:
        lines: Any = event.body["lines"]
        units = sum(line["quantity"] for line in lines)
        return replace(balance, units=units, pending=balance.pending.set(event.command_id, RESERVE))
    verb = event.path.rpartition("/")[2]
    if not event.path.startswith(RESERVE) or verb not in (COMMIT, PUT_BACK):
        return balance
    return replace(balance, pending=balance.pending.set(event.command_id, verb))


def heard(balance: Balance, id: UUID, kind: InputKind, name: str, facts: Mapping[str, Any]) -> Balance:
    if kind is InputKind.REPLY:
        return answered(balance, id, accepted=name == ACCEPTED)
    return moved(balance, name, facts) if kind is InputKind.FACT else balance


def answered(balance: Balance, id: UUID, *, accepted: bool) -> Balance:
    verb = balance.pending.get(id)
    if verb is None:
        return balance
    balance = replace(balance, pending=balance.pending.delete(id))
    if not accepted:
        return balance
    if verb == RESERVE:
        return replace(balance, reserved=balance.reserved + balance.units)
    if verb == COMMIT:
        return replace(balance, committed=balance.committed + balance.units)
    return replace(balance, released=balance.released + balance.goods)


def moved(balance: Balance, name: str, facts: Mapping[str, Any]) -> Balance:
    amount: Mapping[str, Any] = facts.get("amount") or {}
    balance = replace(balance, currency=amount.get("currency", balance.currency))
    match name:
        case Authorised.NAME:
            return replace(balance, held=amount["amount"])
        case Captured.NAME:
            taken = amount["amount"]
            return replace(balance, held=max(0, balance.held - taken), captured=balance.captured + taken)
        case Refunded.NAME:
            return replace(balance, refunded=balance.refunded + amount["amount"])
        case Voided.NAME | AuthorisationLost.NAME | Declined.NAME:
            return replace(balance, held=0)
        case _:
            return balance
