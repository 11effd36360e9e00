"""Decides the commands about orders."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from commands.handler import Decision, Handler, Handlers, Ids
from commands.message import Command
from commands.orders import messages as m
from domain.actor import Actor
from domain.aggregate import States
from domain.errors import AlreadyExists, DomainError, Forbidden, InvalidValue, NotFound
from domain.ids import UserId
from domain.lifecycle import require
from domain.orders import cancellation, cart, fulfilment, work
from domain.orders.events import CancelReason
from domain.orders.order import Order, Status

C = TypeVar("C", bound=Command)
V = TypeVar("V")


class OfOrder(Handler[C]):
    """Decides on one order that exists: the asker's own, or anybody's for the shop's own people."""

    of = Order

    def decide(self, command: C, states: States, at: datetime, ids: Ids) -> Decision:
        order = states[command.target, Order]
        if not command.by.may_touch(order.customer_id):
            raise NotFound("order", order.id)
        return self.on(order, command, at)

    def on(self, order: Order, command: C, at: datetime) -> Decision:
        raise NotImplementedError


class Draft(Handler[m.DraftOrder]):
    of = Order

    def decide(self, command: m.DraftOrder, states: States, at: datetime, ids: Ids) -> Decision:
        require_free(command.id, states)
        return cart.draft(command.id, customer_of(command.by, command.customer_id), command.currency, at=at)


class PlaceNow(Handler[m.PlaceNow]):
    of = Order

    def decide(self, command: m.PlaceNow, states: States, at: datetime, ids: Ids) -> Decision:
        customer_id = customer_of(command.by, command.order.customer_id)
        require_free(command.id, states)
        return cart.place(command.id, customer_id, purchase(command), at=at)


class PlaceDraft(OfOrder[m.PlaceDraft]):
    def on(self, order: Order, command: m.PlaceDraft, at: datetime) -> Decision:
        require(order, Status.DRAFT)
        return cart.place_draft(order, purchase(command), at=at)


class Add(OfOrder[m.AddItem]):
    def on(self, order: Order, command: m.AddItem, at: datetime) -> Decision:
        require(order, Status.DRAFT)
        return cart.add_line(order, accepted(command.item), at=at)


class Change(OfOrder[m.ChangeLine]):
    def on(self, order: Order, command: m.ChangeLine, at: datetime) -> Decision:
        return cart.change_line(order, command.variant_id, command.quantity, at=at)


class Remove(OfOrder[m.RemoveLine]):
    def on(self, order: Order, command: m.RemoveLine, at: datetime) -> Decision:
        return cart.remove_line(order, command.variant_id, at=at)


class Confirm(OfOrder[m.ConfirmOrder]):
    def on(self, order: Order, command: m.ConfirmOrder, at: datetime) -> Decision:
        return fulfilment.confirm(order, saga=command.saga, at=at)


class Reject(OfOrder[m.RejectOrder]):
    def on(self, order: Order, command: m.RejectOrder, at: datetime) -> Decision:
        return fulfilment.reject(order, command.reason, command.note, saga=command.saga, at=at)


class Expire(OfOrder[m.ExpireOrder]):
    def on(self, order: Order, command: m.ExpireOrder, at: datetime) -> Decision:
        return fulfilment.expire(order, saga=command.saga, at=at)


class Cancel(OfOrder[m.CancelOrder]):
    def on(self, order: Order, command: m.CancelOrder, at: datetime) -> Decision:
        reason, asked_by = wish_of(command.by, order), person(command.by)
        return cancellation.cancel(order, reason, command.note, asked_by=asked_by, at=at)


class Close(OfOrder[m.CloseOrder]):
    def on(self, order: Order, command: m.CloseOrder, at: datetime) -> Decision:
        return cancellation.close(order, command.note, saga=command.saga, at=at)


class HandOver(OfOrder[m.HandOverOrder]):
    def on(self, order: Order, command: m.HandOverOrder, at: datetime) -> Decision:
        return work.hand_over(order, command.saga, at=at)


class Release(OfOrder[m.ReleaseOrder]):
    def on(self, order: Order, command: m.ReleaseOrder, at: datetime) -> Decision:
        return work.release(order, command.saga, at=at)


class Ship(OfOrder[m.ShipOrder]):
    def on(self, order: Order, command: m.ShipOrder, at: datetime) -> Decision:
        return fulfilment.ship(
            order, command.shipment_id, command.lines or (), command.carrier, command.tracking, at=at
        )


class Deliver(OfOrder[m.DeliverOrder]):
    def on(self, order: Order, command: m.DeliverOrder, at: datetime) -> Decision:
        return fulfilment.deliver(order, command.shipment_id, at=at)


class Return(OfOrder[m.ReturnOrder]):
    def on(self, order: Order, command: m.ReturnOrder, at: datetime) -> Decision:
        return fulfilment.give_back(
            order,
            command.return_id,
            command.lines or (),
            asked_by=person(command.by),
            note=command.note,
            restock=restock(command),
            at=at,
        )


HANDLERS: Handlers = {
    m.DraftOrder: Draft(),
    m.PlaceNow: PlaceNow(),
    m.PlaceDraft: PlaceDraft(),
    m.AddItem: Add(),
    m.ChangeLine: Change(),
    m.RemoveLine: Remove(),
    m.ConfirmOrder: Confirm(),
    m.RejectOrder: Reject(),
    m.ExpireOrder: Expire(),
    m.CancelOrder: Cancel(),
    m.CloseOrder: Close(),
    m.HandOverOrder: HandOver(),
    m.ReleaseOrder: Release(),
    m.ShipOrder: Ship(),
    m.DeliverOrder: Deliver(),
    m.ReturnOrder: Return(),
}


def require_free(id: UUID, states: States) -> None:
    if states.get(id) is not None:
        raise AlreadyExists("order", id)


def customer_of(by: Actor, customer_id: UserId | None) -> UserId:
    """Whose order it is: one's own, unless somebody of the shop orders for another."""
    whom = customer_id or by.id
    if whom is None:
        raise InvalidValue("customerId is missing: whom is the order for?", field="customerId")
    if not by.may_touch(whom):
        raise Forbidden("you can only order for yourself: leave customerId out")
    return UserId(whom)


def purchase(command: m.Quoted) -> cart.Purchase:
    order = command.order
    return cart.Purchase(
        accepted(command.quote),
        order.quoted_total,
        order.address,
        order.payment.method,
        order.payment.token,
        order.note,
    )


def accepted(found: V | DomainError) -> V:
    """What was found before the loop. Raises the refusal that was found instead."""
    if isinstance(found, DomainError):
        raise found
    return found


def wish_of(by: Actor, order: Order) -> CancelReason:
    if by.id == order.customer_id:
        return CancelReason.CUSTOMER
    return CancelReason.STAFF if by.id else CancelReason.SYSTEM


def person(by: Actor) -> UserId | None:
    return UserId(by.id) if by.id else None


def restock(command: m.ReturnOrder) -> bool:
    """The shop's own people say; what they do not say goes back on the shelf, what a customer returns is looked at."""
    if command.restock is None:
        return command.by.in_charge
    if not command.by.in_charge:
        raise Forbidden("whether goods go back on the shelf is for the shop to say: leave restock out")
    return command.restock
