"""Decides the commands about payments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from commands.handler import Answer, Decision, Handler, Handlers, Ids
from commands.message import Command
from commands.payments import messages as m
from commands.payments import reports
from commands.services import PaymentChoice
from domain.actor import Role
from domain.aggregate import States
from domain.errors import DomainError
from domain.event import Event
from domain.ids import PaymentId, UserId
from domain.payments import requests
from domain.payments.errors import NothingToGiveBack
from domain.payments.giving_back import give_back
from domain.payments.payment import Payment, evolve
from domain.payments.requests import Why
from domain.payments.webhook import Webhook, receive

C = TypeVar("C", bound=Command)


class OfPayment(Handler[C]):
    of = Payment


class Begin(OfPayment[m.BeginAttempt]):
    """Opens the payment with its first attempt. One that has begun is not asked how it is to be paid."""

    def decide(self, command: m.BeginAttempt, states: States, at: datetime, ids: Ids) -> Decision:
        payment = states.get(command.target, Payment)
        if payment and payment.attempt(command.attempt_id):
            return None
        choice, events = accepted(command.choice), list[Event]()
        if payment is None:
            opened = requests.open_payment(command.order_id, choice.customer_id, choice.total, at=at)
            payment = evolve(None, opened)
            events.append(opened)
        begun = requests.begin(payment, command.attempt_id, ids(), choice.method, choice.token, at=at)
        return [*events, begun] if begun else events


class Capture(OfPayment[m.CapturePayment]):
    def decide(self, command: m.CapturePayment, states: States, at: datetime, ids: Ids) -> Decision:
        payment = states[command.target, Payment]
        return requests.capture(payment, command.capture_id, ids(), command.amount, at=at)


class Void(OfPayment[m.VoidPayment]):
    def decide(self, command: m.VoidPayment, states: States, at: datetime, ids: Ids) -> Decision:
        return requests.void(states[command.target, Payment], ids(), at=at)


class Refund(OfPayment[m.RefundPayment]):
    def decide(self, command: m.RefundPayment, states: States, at: datetime, ids: Ids) -> Decision:
        payment = states[command.target, Payment]
        return requests.refund(payment, command.refund_id, ids(), command.amount, why(command), at=at)


class GiveBack(OfPayment[m.GiveBack]):
    def decide(self, command: m.GiveBack, states: States, at: datetime, ids: Ids) -> Decision:
        payment = states.get(command.target, Payment)
        if payment is None:
            raise NothingToGiveBack(command.target)  # nothing was ever paid
        return give_back(payment, why(command), ids, at=at)


class RecordAnswer(OfPayment[m.RecordAnswer]):
    def decide(self, command: m.RecordAnswer, states: States, at: datetime, ids: Ids) -> Decision:
        command.by.require(Role.SERVICE)
        payment = states[command.target, Payment]
        return reports.of_answer(payment, command.request, command.answer, at=at)


class RecordIntent(OfPayment[m.RecordIntent]):
    def decide(self, command: m.RecordIntent, states: States, at: datetime, ids: Ids) -> Decision:
        command.by.require(Role.SERVICE)
        return reports.of_intent(states[command.target, Payment], command.intent, at=at)


class Receive(Handler[m.ReceiveHook]):
    """Inbox and payment in one append: a hook is known if, and only if, what it tells is recorded."""

    of = Webhook

    def needs(self, command: m.ReceiveHook, states: States) -> Iterable[UUID]:
        payment_id = named(command)
        return (command.target,) if payment_id is None else (command.target, payment_id)

    def decide(self, command: m.ReceiveHook, states: States, at: datetime, ids: Ids) -> Decision:
        command.by.require(Role.SERVICE)
        if states.get(command.target) is not None:
            return None
        hook, payment_id = command.hook, named(command)
        payment = states.get(payment_id, Payment) if payment_id else None
        matched = payment_id if payment else None
        received = receive(command.gateway, hook.id, hook.type, hook.reference, hook.at, matched, at=at)
        if payment is None or hook.intent is None:
            return received
        return [received, *reports.of_intent(payment, hook.intent, at=at)]

    def answer(self, command: m.ReceiveHook, states: States) -> Answer:
        state = states[command.target, Webhook]
        return Answer(state.id, state.version, state.status.name)


HANDLERS: Handlers = {
    m.BeginAttempt: Begin(),
    m.CapturePayment: Capture(),
    m.VoidPayment: Void(),
    m.RefundPayment: Refund(),
    m.GiveBack: GiveBack(),
    m.RecordAnswer: RecordAnswer(),
    m.RecordIntent: RecordIntent(),
    m.ReceiveHook: Receive(),
}


def accepted(choice: PaymentChoice | DomainError) -> PaymentChoice:
    """How the order is to be paid. Raises why that cannot be told."""
    if isinstance(choice, DomainError):
        raise choice
    return choice


def why(command: m.RefundPayment | m.GiveBack) -> Why:
    return Why(command.reason, UserId(command.by.id) if command.by.id else None, command.note)


def named(command: m.ReceiveHook) -> PaymentId | None:
    """The payment that the gateway says it is about."""
    return command.hook.intent.payment_id if command.hook.intent else None
