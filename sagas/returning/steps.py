"""A return: what is owed for the goods goes back, they go back on the shelf, and the order is let go."""

from __future__ import annotations

from typing import Final

from domain.ids import OrderId, payment_of
from domain.sagas.events import Facts
from domain.sagas.returning.facts import Returned
from domain.sagas.saga import Saga
from sagas.definition import Ask, Definition, Step, Then
from sagas.money import REFUNDS

REFUND: Final = "give the money back"
RESTOCK: Final = "put the goods back"
RELEASE: Final = "let go of the order"


def returned(saga: Saga) -> Returned:
    return Returned.model_validate(saga.known[Returned.NAME])


def refund(saga: Saga, attempt: int) -> Ask:
    """The saga's key is the refund's id. What the gateway refused is asked for again under it."""
    owed = returned(saga)
    body: Facts = {"refundId": str(saga.key), "amount": owed.refund.model_dump(mode="json"), "reason": "RETURN"}
    return Ask(f"/v1/payments/{payment_of(OrderId(owed.order_id))}/refund", body)


def nothing_owed(saga: Saga) -> bool:
    return not returned(saga).refund


def restock(saga: Saga, attempt: int) -> Ask:
    came = returned(saga)
    return Ask("/v1/restocks", {"orderId": str(came.order_id), "returnId": str(came.return_id)})


def not_for_the_shelf(saga: Saga) -> bool:
    return not returned(saga).restock


def release(saga: Saga, attempt: int) -> Ask:
    return Ask(f"/v1/orders/{returned(saga).order_id}/release", {"saga": str(saga.id)})


RETURN: Final = Definition(
    1,
    steps=[
        Step(REFUND, refund, by_fact=True, unlisted=Then.TRY_AGAIN, retry=REFUNDS, skip=nothing_owed),
        Step(RESTOCK, restock, skip=not_for_the_shelf, refused={"ALREADY_EXISTS": Then.GO_ON}),
        Step(RELEASE, release),
    ],
)
