"""Any commands by anybody in any order: refused or carried out, never more; and nobody touches what is not theirs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from commands.message import Command
from commands.orders import messages as m
from commands.orders.handlers import HANDLERS
from domain.actor import Actor, Role
from domain.aggregate import States
from domain.errors import DomainError
from domain.ids import OrderId, new_id
from domain.orders import CONTEXT
from domain.orders.errors import NotForSale
from domain.orders.events import Portion, RejectReason
from domain.orders.order import Order, Status
from domain.orders.quote import Quote
from domain.value import PaymentMethod
from tests import full
from tests.commands.orders.shop import BOB, CHECKOUT, STAFF
from tests.domain.orders import samples
from tests.domain.orders.samples import (
    CANCELLATION,
    CUP,
    CUSTOMER,
    HOME,
    ORDER,
    RETURN,
    RETURNING,
    RETURNING_MORE,
    SECOND_RETURN,
    TEA,
    THIRD_RETURN,
    WAYS_TO,
    eur,
    item,
    quote,
)
from tests.domain.orders.samples import CHECKOUT as CHECKING_OUT
from tests.specification import AT, as_list

IDS: list[OrderId] = [OrderId(ORDER), OrderId(UUID(int=1))]
OWNER = Actor(CUSTOMER, frozenset({Role.CUSTOMER}))
VARIANTS = [TEA, CUP]
WANTED = (m.Wanted(variant_id=VARIANTS[0], quantity=1),)
CHOICE = m.PaymentChoice(method=PaymentMethod.WALLET)

SAGAS = [CHECKING_OUT, CANCELLATION, RETURNING, RETURNING_MORE]
RETURNS = [RETURN, SECOND_RETURN, THIRD_RETURN]

sagas = st.none() | st.sampled_from(SAGAS)
ids, variants = st.sampled_from(IDS), st.sampled_from(VARIANTS)
quantities, notes = st.integers(1, 4), st.sampled_from(["", "Because"])
items = st.builds(item, variants, quantities)
quotes = st.lists(items, max_size=3).map(lambda lines: quote(*lines))
found = quotes | st.just(NotForSale(VARIANTS))
portions = st.none() | st.lists(
    st.builds(lambda line, n: Portion(line=line, quantity=n), st.integers(1, 3), quantities), min_size=1, max_size=2
).map(tuple)


def agreed(found: Quote | DomainError, honest: bool) -> dict[str, Any]:
    total = found.total if isinstance(found, Quote) and honest else eur(1)
    order = m.PlaceOrder(lines=WANTED, address=HOME, payment=CHOICE, quoted_total=total)
    return {"order": order, "quote": found}


purchases = st.builds(agreed, found, st.booleans())


def some(kind: type[Command], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Command]:
    """st.builds would add the required fields once more by their aliases."""
    return st.fixed_dictionaries(fields).map(lambda values: kind(**values))


commands: st.SearchStrategy[Command] = st.one_of(
    some(m.DraftOrder, id=ids, customer_id=st.none(), currency=st.just("EUR")),
    st.builds(lambda id, purchase: m.PlaceNow(id=id, **purchase), ids, purchases),
    purchases.map(lambda purchase: m.PlaceDraft(**purchase)),
    some(m.AddItem, item=items | st.just(NotForSale(VARIANTS))),
    some(m.ChangeLine, variant_id=variants, quantity=quantities),
    some(m.RemoveLine, variant_id=variants),
    some(m.ConfirmOrder, saga=sagas),
    some(m.RejectOrder, reason=st.sampled_from(RejectReason), note=notes, saga=sagas),
    some(m.ExpireOrder, saga=sagas),
    some(m.CancelOrder, note=notes),
    some(m.CloseOrder, note=notes, saga=sagas),
    some(m.HandOverOrder, saga=st.sampled_from(SAGAS), to=st.just("cancellation")),
    some(m.ReleaseOrder, saga=st.sampled_from(SAGAS)),
    some(m.ShipOrder, lines=portions, carrier=st.just("DHL")),
    some(m.DeliverOrder, shipment_id=st.none()),
    some(
        m.ReturnOrder, return_id=st.sampled_from(RETURNS), lines=portions, restock=st.none() | st.booleans(), note=notes
    ),
)
asked = st.lists(st.tuples(commands, ids, st.sampled_from([OWNER, BOB, STAFF, CHECKOUT])), min_size=3, max_size=20)


class Desk:
    """Carries commands out one after another. A refusal leaves everything as it was."""

    def __init__(self, order: Order) -> None:
        self.states: dict[UUID, Order] = {order.id: order}

    def do(self, command: Command, id: UUID, by: Actor) -> None:
        """`id` is meant unless the command has one of its own."""
        command.bind(by=by, target=None if "id" in type(command).model_fields else id)
        handler = HANDLERS[type(command)]
        states = States({id: self.states.get(id) for id in handler.needs(command, States(self.states.get))}.__getitem__)
        after = dict(self.states)
        for event in as_list(handler.decide(command, states, AT, new_id)):
            before = after.get(event.originator_id)
            assert event.originator_version == (before.version if before else 0) + 1
            after[event.originator_id] = CONTEXT.evolve(before, event)
        self.states = after


@pytest.mark.full("orders")
@seed(full.seed())
@settings(max_examples=full.size(100, 4_000, suite="orders"), deadline=None)
@given(st.sampled_from(Status), asked)
def test_whatever_is_asked_by_whomever(status: Status, asked: list[tuple[Command, UUID, Actor]]) -> None:
    desk = Desk(samples.order.given(*WAYS_TO[status]).state)
    for command, id, by in asked:
        before = desk.states
        try:
            desk.do(command, id, by)
        except DomainError:
            assert desk.states is before
        for order in desk.states.values():
            assert order is before.get(order.id) or by.may_touch(order.customer_id)
    for order in desk.states.values():
        check(order)


def check(order: Order) -> None:
    assert order.returned <= order.delivered <= order.shipped <= order.ordered
    assert order.status is Status.DRAFT or order.lines or order.status is Status.CANCELLED
    assert order.status is Status.DRAFT or order.total >= order.shipping + order.tax
    assert (order.status in (Status.CANCEL_PENDING, Status.CANCELLED)) == (order.cancellation is not None)
    assert order.saga is not None or not (order.waiting or order.status is Status.CANCEL_PENDING), "nobody sees to it"
    assert len({each.id for each in order.returns}) == len(order.returns)
