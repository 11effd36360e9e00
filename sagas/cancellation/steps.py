"""Cancellation of a confirmed order: the money goes back, the goods go back, the order is closed."""

from __future__ import annotations

from typing import Final

from domain.ids import OrderId
from domain.sagas.cancellation.facts import CancellationAssigned
from domain.sagas.saga import Saga
from sagas.checkout.steps import GONE, ROUNDS, reservation_of
from sagas.definition import Ask, Definition, Step, Then
from sagas.money import GIVE_BACK, GIVE_BACK_LATE, give_back

PUT_BACK: Final = "put the goods back"
CLOSE: Final = "close the order"


def order_of(saga: Saga) -> OrderId:
    return OrderId(CancellationAssigned.model_validate(saga.known[CancellationAssigned.NAME]).order_id)


def put_back(round: int) -> Step:
    """Which of its holds checkout ended with is not known here: what is not there, or is back, costs nothing."""

    def ask(saga: Saga, attempt: int) -> Ask:
        return Ask(f"/v1/reservations/{reservation_of(order_of(saga), round)}/put-back")

    return Step(PUT_BACK if round == 1 else f"{PUT_BACK} ({round})", ask, refused=GONE)


def close(saga: Saga, attempt: int) -> Ask:
    return Ask(f"/v1/orders/{order_of(saga)}/close", {"saga": str(saga.id)})


CANCELLATION: Final = Definition(
    1,
    steps=[
        give_back(GIVE_BACK, "CANCELLATION"),
        *(put_back(round) for round in range(1, ROUNDS + 1)),
        Step(CLOSE, close, unlisted=Then.OPERATOR),
    ],
    late=[give_back(GIVE_BACK_LATE, "CANCELLATION")],
)
