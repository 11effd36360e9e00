"""The payment methods for tests, by Stripe's own names where it has one, and how each behaves in sandbox and fake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from commands.payments.gateway import RefundStatus

HOLD: Final = timedelta(days=7)
"""How long an authorisation is good, as a rule."""

SOON: Final = timedelta(seconds=60)
"""When a refund ends that does not end at once, and an authorisation that hardly holds."""

AUTHENTICATION_FAILED: Final = "payment_intent_authentication_failure"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`type` is Stripe's word for the kind of method. Codes are decline codes; empty means that it goes well."""

    type: str = "card"
    brand: str = "visa"
    declined: str = ""
    redirects: bool = False  # the customer has to go to a page first
    delayed: bool = False  # the money comes days later
    transfer: bool = False  # and the customer has to send it
    capture_declined: str = ""
    hold: timedelta = HOLD
    refund: RefundStatus = RefundStatus.SUCCEEDED  # at once
    refund_later: RefundStatus | None = None  # SOON
    disputed: bool = False  # as soon as money is captured


METHODS: Final[dict[str, Behaviour]] = {
    "pm_card_visa": Behaviour(),
    "pm_card_visa_debit": Behaviour(),
    "pm_card_mastercard": Behaviour(brand="mastercard"),
    "pm_card_mastercard_debit": Behaviour(brand="mastercard"),
    "pm_card_amex": Behaviour(brand="amex"),
    "pm_card_jcb": Behaviour(brand="jcb"),
    "pm_card_chargeDeclined": Behaviour(declined="generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": Behaviour(declined="insufficient_funds"),
    "pm_card_chargeDeclinedLostCard": Behaviour(declined="lost_card"),
    "pm_card_chargeDeclinedStolenCard": Behaviour(declined="stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": Behaviour(declined="expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": Behaviour(declined="incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": Behaviour(declined="processing_error"),
    "pm_card_authenticationRequired": Behaviour(redirects=True),
    "pm_card_refundFail": Behaviour(refund_later=RefundStatus.FAILED),
    "pm_card_pendingRefund": Behaviour(refund=RefundStatus.PENDING, refund_later=RefundStatus.SUCCEEDED),
    "pm_card_createDispute": Behaviour(disputed=True),
    # Stripe has no method that does what these do; the names are ours.
    "pm_card_captureFail": Behaviour(capture_declined="do_not_honor"),
    "pm_card_holdsBriefly": Behaviour(hold=SOON),
    "pm_wallet": Behaviour(type="paypal", redirects=True),
    "pm_bankTransfer": Behaviour(type="sepa_debit", delayed=True),
}

TRANSFER: Final = Behaviour(type="customer_balance", delayed=True, transfer=True)
"""A bank transfer without a token: the customer is told where to send the money."""

LATER_CODES: Final = {"money": "insufficient_funds", "refund": "lost_or_stolen_card"}
"""Why money that was to come does not, and why a refund fails."""
