"""Checkout: goods are held, the money is held, the order is confirmed - and then both are taken for good."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from domain.ids import OrderId, ReservationId, derive
from domain.sagas.checkout.facts import CancellationWished, Placed
from domain.sagas.events import Facts, Outcome
from domain.sagas.money import ActionNeeded, Authorised, Captured, CaptureRefused, Declined, Pending
from domain.sagas.saga import Saga
from domain.value import PaymentMethod
from projections.retry import RetryPolicy
from sagas.definition import Ask, Definition, GoBack, Step, Then
from sagas.money import GIVE_BACK, GIVE_BACK_LATE, give_back, payment_of_order

RESERVE: Final = "reserve stock"
AUTHORISE: Final = "authorise payment"
CONFIRM: Final = "confirm order"
COMMIT: Final = "commit stock"
CAPTURE: Final = "capture payment"
RELEASE: Final = "let go of the order"
PUT_BACK: Final = "put the goods back"
CLOSE: Final = "close the order"
WITHDRAW: Final = "cancel the order"
HAND_OVER: Final = "hand over to cancellation"
HOLD: Final = "hold"

HOLD_FOR: Final = timedelta(minutes=15)
PAY_WITHIN: Final = timedelta(minutes=30)
TRANSFER_HOLD: Final = timedelta(days=3)
TRANSFER_WITHIN: Final = timedelta(days=7)
CAPTURES: Final = RetryPolicy(first=5.0, longest=300.0, attempts=3)

ROUNDS: Final = 2
"""How often goods are held for one order at most: again once, if the hold ran out while the payment was under way."""


def placed(saga: Saga) -> Placed:
    return Placed.model_validate(saga.known[Placed.NAME])


def reservation_of(order_id: OrderId, round: int) -> ReservationId:
    return ReservationId(derive("reservation", f"{order_id}/{round}"))


def capture_of(saga: Saga, attempt: int) -> str:
    return str(derive("capture", f"{saga.id}/{attempt}"))


def reserve(saga: Saga, attempt: int) -> Ask:
    order = placed(saga)
    return Ask(
        "/v1/reservations",
        {
            "id": str(reservation_of(OrderId(order.order_id), attempt)),
            "orderId": str(order.order_id),
            "lines": [{"variantId": str(line.variant_id), "quantity": line.quantity} for line in order.lines],
        },
    )


def put_back(saga: Saga, attempt: int) -> Ask:
    held = reservation_of(OrderId(placed(saga).order_id), saga.times(RESERVE))
    return Ask(f"/v1/reservations/{held}/put-back")


def authorise(saga: Saga, attempt: int) -> Ask:
    body: Facts = {"orderId": str(placed(saga).order_id), "attemptId": str(derive("attempt", f"{saga.id}/{attempt}"))}
    return Ask("/v1/payments", body)


def confirm(saga: Saga, attempt: int) -> Ask:
    return of_order(saga, "confirm")


def commit(saga: Saga, attempt: int) -> Ask:
    held = reservation_of(OrderId(placed(saga).order_id), saga.times(RESERVE))
    return Ask(f"/v1/reservations/{held}/commit")


def capture(saga: Saga, attempt: int) -> Ask:
    return Ask(f"/v1/payments/{payment_of_order(saga)}/capture", {"captureId": capture_of(saga, attempt)})


def release(saga: Saga, attempt: int) -> Ask:
    return of_order(saga, "release")


def close(saga: Saga, attempt: int) -> Ask:
    """How the order ends. Whoever has asked for its cancellation gets that."""
    if CancellationWished.NAME in saga.known:
        return of_order(saga, "close")
    assert saga.wish is not None
    if saga.wish.outcome is Outcome.EXPIRED:
        return of_order(saga, "expire")
    reason = saga.wish.code if saga.wish.code in ("OUT_OF_STOCK", "PAYMENT_DECLINED") else "REFUSED_BY_SHOP"
    return of_order(saga, "reject", reason=reason)


def withdraw(saga: Saga, attempt: int) -> Ask:
    return Ask(f"/v1/orders/{placed(saga).order_id}/cancel", {"note": "the payment could not be captured"})


def of_order(saga: Saga, verb: str, **body: str) -> Ask:
    """Refused once another saga works the order."""
    return Ask(f"/v1/orders/{placed(saga).order_id}/{verb}", {"saga": str(saga.id), **body})


def hold_for(saga: Saga) -> timedelta:
    return TRANSFER_HOLD if placed(saga).method is PaymentMethod.BANK_TRANSFER else HOLD_FOR


def pay_within(saga: Saga) -> timedelta:
    return TRANSFER_WITHIN if placed(saga).method is PaymentMethod.BANK_TRANSFER else PAY_WITHIN


def answered(saga: Saga) -> bool:
    """The gateway has said something of the attempt: what was asked of it is no longer in the dark."""
    return any(fact.NAME in saga.known for fact in (Authorised, Declined, ActionNeeded, Pending, Captured))


def captured(saga: Saga) -> bool:
    return Captured.NAME in saga.known


def capture_answered(saga: Saga) -> bool:
    newest = capture_of(saga, saga.times(CAPTURE))
    told = (saga.known.get(fact.NAME) for fact in (Captured, CaptureRefused))
    return captured(saga) or any(fact is not None and fact["capture_id"] == newest for fact in told)


def cancelled_meanwhile(saga: Saga) -> bool:
    """Whether the order waits to be cancelled already."""
    return CancellationWished.NAME in saga.known


NO_STOCK: Final = GoBack(Outcome.REJECTED, "OUT_OF_STOCK")
REFUSED: Final = GoBack(Outcome.REJECTED, "REFUSED_BY_SHOP")
DECLINED: Final = GoBack(Outcome.REJECTED, "PAYMENT_DECLINED")
EXPIRED: Final = GoBack(Outcome.EXPIRED, "PAYMENT_LATE")
CANCELLED: Final = GoBack(Outcome.CANCELLED, "CANCELLATION_REQUESTED")
NO_CAPTURE: Final = GoBack(Outcome.CANCELLED, "CAPTURE_FAILED")

GONE: Final = {"NOT_FOUND": Then.GO_ON}
"""Nothing was held: there is nothing to put back."""

CHECKOUT: Final = Definition(
    1,
    steps=[
        Step(
            RESERVE,
            reserve,
            refused={"INSUFFICIENT_STOCK": NO_STOCK},
            unlisted=REFUSED,
            undo=Step(PUT_BACK, put_back, refused=GONE),
            sets=(HOLD, hold_for),
        ),
        Step(
            AUTHORISE,
            authorise,
            by_fact=True,
            refused={"PAYMENT_DECLINED": DECLINED},
            unlisted=REFUSED,
            undo=give_back(GIVE_BACK, "CANCELLATION"),
            timeout=pay_within,
            late=EXPIRED,
            known=answered,
        ),
        Step(CONFIRM, confirm, pivot=True, refused={"NOT_ALLOWED_NOW": CANCELLED}, unlisted=REFUSED),
        Step(COMMIT, commit),
        Step(
            CAPTURE,
            capture,
            by_fact=True,
            refused={"NOTHING_TO_CAPTURE": NO_CAPTURE},
            unlisted=Then.TRY_AGAIN,
            retry=CAPTURES,
            exhausted=NO_CAPTURE,
            skip=captured,
            known=capture_answered,
        ),
        Step(RELEASE, release, refused={"NOT_FOUND": Then.GO_ON}),
    ],
    close=Step(CLOSE, close, refused={"NOT_ALLOWED_NOW": Then.TRY_AGAIN}),
    over=[
        Step(WITHDRAW, withdraw, skip=cancelled_meanwhile),
        Step(HAND_OVER, release),  # an order that is to be cancelled is worked by its cancellation from then on
    ],
    late=[give_back(GIVE_BACK_LATE, "CANCELLATION")],
)
