"""Every decision in every status: what goes on, what is nothing to do, and what is refused, with nothing in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.errors import NotAllowedNow
from domain.ids import SagaId, ShipmentId, VariantId, derive
from domain.orders import cancellation, cart, fulfilment, work
from domain.orders.errors import AlreadyShipped, SagaAtWork
from domain.orders.events import CancelReason, RejectReason
from domain.orders.order import Order, Status
from tests.domain.orders.samples import (
    CHECKOUT,
    CUP,
    CUSTOMER,
    STAFF,
    TEA,
    THIRD_RETURN,
    WAYS_TO,
    item,
    order,
    purchase,
)
from tests.specification import AT, as_list

Decide = Callable[[Order], Any]
S = Status
NEW = VariantId(derive("test", "new"))
THIRD = ShipmentId(derive("test", "third"))
OTHER = SagaId(derive("test", "other saga"))

DECISIONS: dict[str, Decide] = {
    "add line": lambda o: cart.add_line(o, item(NEW), at=AT),
    "change line": lambda o: cart.change_line(o, TEA, 7, at=AT),
    "remove line": lambda o: cart.remove_line(o, TEA, at=AT),
    "place": lambda o: cart.place_draft(o, purchase(item(TEA, 2), item(CUP)), at=AT),
    "confirm": lambda o: fulfilment.confirm(o, at=AT),
    "reject": lambda o: fulfilment.reject(o, RejectReason.PAYMENT_DECLINED, "", at=AT),
    "expire": lambda o: fulfilment.expire(o, at=AT),
    "ship": lambda o: fulfilment.ship(o, THIRD, (), "DHL", None, at=AT),
    "deliver": lambda o: fulfilment.deliver(o, None, at=AT),
    "return": lambda o: fulfilment.give_back(o, THIRD_RETURN, (), asked_by=CUSTOMER, note="", restock=True, at=AT),
    "cancel as customer": lambda o: cancellation.cancel(o, CancelReason.CUSTOMER, "", asked_by=CUSTOMER, at=AT),
    "cancel as staff": lambda o: cancellation.cancel(o, CancelReason.STAFF, "Fraud", asked_by=STAFF, at=AT),
    "cancel as system": lambda o: cancellation.cancel(o, CancelReason.SYSTEM, "", asked_by=None, at=AT),
    "close": lambda o: cancellation.close(o, "", at=AT),
    "hand over": lambda o: work.hand_over(o, CHECKOUT, at=AT),
    "release": lambda o: work.release(o, CHECKOUT, at=AT),
}


def decided_by(saga: SagaId) -> dict[str, Decide]:
    """The decisions that a saga may make, made by this one."""
    return {
        "confirm": lambda o: fulfilment.confirm(o, saga=saga, at=AT),
        "reject": lambda o: fulfilment.reject(o, RejectReason.PAYMENT_DECLINED, "", saga=saga, at=AT),
        "expire": lambda o: fulfilment.expire(o, saga=saga, at=AT),
        "close": lambda o: cancellation.close(o, "", saga=saga, at=AT),
    }


UNWORKED = {S.DRAFT, S.REJECTED, S.EXPIRED, S.CANCELLED}
"""In these no saga works the order; in all others, as these histories go, its checkout does."""

LEADS_TO: dict[str, dict[Status, Status]] = {
    "add line": {S.DRAFT: S.DRAFT},
    "change line": {S.DRAFT: S.DRAFT},
    "remove line": {S.DRAFT: S.DRAFT},
    "place": {S.DRAFT: S.PLACED},
    "confirm": {S.PLACED: S.CONFIRMED},
    "reject": {S.PLACED: S.REJECTED},
    "expire": {S.PLACED: S.EXPIRED},
    "ship": {S.CONFIRMED: S.SHIPPED, S.PARTIALLY_SHIPPED: S.SHIPPED},
    "deliver": {S.PARTIALLY_SHIPPED: S.PARTIALLY_SHIPPED, S.SHIPPED: S.DELIVERED},
    "return": {S.DELIVERED: S.RETURNED},
    "cancel as customer": {S.DRAFT: S.CANCELLED, S.PLACED: S.CANCEL_PENDING, S.CONFIRMED: S.CANCEL_PENDING},
    "cancel as staff": {S.DRAFT: S.CANCELLED, S.PLACED: S.CANCEL_PENDING, S.CONFIRMED: S.CANCEL_PENDING},
    "cancel as system": {S.DRAFT: S.CANCELLED, S.PLACED: S.CANCEL_PENDING, S.CONFIRMED: S.CANCEL_PENDING},
    "close": {S.CANCEL_PENDING: S.CANCELLED},
    "hand over": {S.CANCEL_PENDING: S.CANCEL_PENDING},
    "release": {status: status for status in Status if status not in UNWORKED},
}

NOTHING_TO_DO: dict[str, set[Status]] = {
    "confirm": {S.CONFIRMED},
    "reject": {S.REJECTED},
    "expire": {S.EXPIRED},
    "deliver": {S.DELIVERED},
    "cancel as customer": {S.CANCEL_PENDING, S.CANCELLED},
    "cancel as staff": {S.CANCEL_PENDING, S.CANCELLED},
    "cancel as system": {S.CANCEL_PENDING, S.CANCELLED},
    "close": {S.CANCELLED},
    "hand over": {S.CANCELLED},
    "release": UNWORKED,
}

SENT = {S.PARTIALLY_SHIPPED, S.SHIPPED, S.DELIVERED, S.RETURNED}


@pytest.mark.parametrize("status", Status)
def test_the_usual_history_leads_to_the_status(status: Status) -> None:
    assert order.given(*WAYS_TO[status]).state.status is status


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("decision", DECISIONS)
def test_each_status_allows_and_refuses_what_it_should(decision: str, status: Status) -> None:
    given = order.given(*WAYS_TO[status])
    decide = DECISIONS[decision]
    if status in LEADS_TO[decision]:
        events = as_list(decide(given.state))
        assert events
        assert fold_on(given.state, events).status is LEADS_TO[decision][status]
    elif status in NOTHING_TO_DO.get(decision, ()):
        assert as_list(decide(given.state)) == []
    else:
        with pytest.raises(AlreadyShipped if decision.startswith("cancel") and status in SENT else NotAllowedNow):
            decide(given.state)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("decision", decided_by(CHECKOUT))
def test_the_saga_at_work_may_do_what_anybody_may_and_another_nothing(decision: str, status: Status) -> None:
    state = order.given(*WAYS_TO[status]).state
    mine, others = decided_by(CHECKOUT)[decision], decided_by(OTHER)[decision]
    if status in NOTHING_TO_DO[decision]:
        assert as_list(mine(state)) == as_list(others(state)) == []
        return
    with pytest.raises(SagaAtWork):
        others(state)
    if status in LEADS_TO[decision]:
        assert fold_on(state, as_list(mine(state))).status is LEADS_TO[decision][status]
    else:
        with pytest.raises(SagaAtWork if status in UNWORKED else NotAllowedNow):
            mine(state)


def fold_on(state: Order, events: list[Any]) -> Order:
    for event in events:
        assert event.originator_version == state.version + 1
        state = order.evolve(state, event)
    return state
