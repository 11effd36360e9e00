"""Why a payment does not ask the gateway for something."""

from __future__ import annotations

from uuid import UUID

from domain.errors import DomainError
from domain.ids import AttemptId
from domain.money import Money


class AttemptActive(DomainError):
    code = "ATTEMPT_ACTIVE"
    title = "Another attempt to pay is active"

    def __init__(self, attempt_id: AttemptId, status: str) -> None:
        super().__init__(f"attempt {attempt_id} is {status}: one at a time", attempt=str(attempt_id), status=status)


class NothingToPay(DomainError):
    code = "NOTHING_TO_PAY"
    title = "Nothing is left to pay"

    def __init__(self, payment_id: UUID) -> None:
        super().__init__(f"payment {payment_id}: nothing is left to pay", id=str(payment_id))


class NothingToCapture(DomainError):
    code = "NOTHING_TO_CAPTURE"
    title = "No money is authorised"

    def __init__(self, payment_id: UUID) -> None:
        super().__init__(f"payment {payment_id} has no authorised money left to capture", id=str(payment_id))


class NothingToVoid(DomainError):
    code = "NOTHING_TO_VOID"
    title = "There is no authorisation to void"

    def __init__(self, payment_id: UUID) -> None:
        super().__init__(
            f"payment {payment_id} has no attempt that can be voided: refund what is captured", id=str(payment_id)
        )


class NothingToRefund(DomainError):
    code = "NOTHING_TO_REFUND"
    title = "No captured money is left to refund"

    def __init__(self, payment_id: UUID) -> None:
        super().__init__(f"payment {payment_id} has no captured money left to refund", id=str(payment_id))


class MoreThanAuthorised(DomainError):
    code = "MORE_THAN_AUTHORISED"
    title = "More would be captured than is authorised"

    def __init__(self, amount: Money, available: Money) -> None:
        super().__init__(
            f"{amount} to be captured, but only {available} can be",
            amount=amount.model_dump(),
            available=available.model_dump(),
        )


class MoreThanCaptured(DomainError):
    code = "MORE_THAN_CAPTURED"
    title = "More would be refunded than was captured"

    def __init__(self, amount: Money, available: Money) -> None:
        super().__init__(
            f"{amount} to be refunded, but only {available} can be",
            amount=amount.model_dump(),
            available=available.model_dump(),
        )


class CaptureUnderWay(DomainError):
    """Whether there is something to void is known once the capture's outcome is."""

    code = "CAPTURE_UNDER_WAY"
    title = "A capture is under way"
    retryable = True

    def __init__(self, payment_id: UUID) -> None:
        super().__init__(
            f"payment {payment_id} has a capture whose outcome is not known: wait for it", id=str(payment_id)
        )


class MoneyUnderWay(DomainError):
    """A capture, a void or a refund whose outcome is not known yet: what is left can be told once it is."""

    code = "MONEY_UNDER_WAY"
    title = "The customer's money is on its way"
    retryable = True

    def __init__(self, payment_id: UUID) -> None:
        super().__init__(
            f"payment {payment_id} has money under way, and nothing else can be asked for now: wait for its outcome",
            id=str(payment_id),
        )

    @property
    def final(self) -> bool:
        return False


class NothingToGiveBack(DomainError):
    """Neither held nor captured: the customer has all of it, or it was charged back."""

    code = "NOTHING_TO_GIVE_BACK"
    title = "None of the customer's money is left to give back"

    def __init__(self, payment_id: UUID) -> None:
        super().__init__(f"payment {payment_id} has none of the customer's money (any more)", id=str(payment_id))


class OrderNotPlaced(DomainError):
    code = "ORDER_NOT_PLACED"
    title = "The order has not been placed"

    def __init__(self, order_id: UUID) -> None:
        super().__init__(f"order {order_id} is a draft: it is placed before it is paid", id=str(order_id))


class PaymentTokenErased(DomainError):
    """The customer was erased, and with them what stood for their card or account."""

    code = "PAYMENT_TOKEN_ERASED"
    title = "How the customer wanted to pay is erased"

    def __init__(self, order_id: UUID) -> None:
        super().__init__(
            f"the customer of order {order_id} was erased: nothing can be charged to them any more", id=str(order_id)
        )


class NotPositive(DomainError):
    code = "AMOUNT_NOT_POSITIVE"
    title = "The amount must be more than nothing"

    def __init__(self, amount: Money) -> None:
        super().__init__(f"{amount} is not an amount that can be captured or refunded", amount=amount.model_dump())
