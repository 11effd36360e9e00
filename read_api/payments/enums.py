"""The words of a payment, and what they mean."""

from __future__ import annotations

from domain.payments.attempt import AttemptStatus, EntryStatus
from domain.payments.events import Advice
from domain.payments.payment import ChargeStatus
from domain.value import PaymentMethod
from projections.payments.row import ActionKind, EntryKind
from read_api.described import described

__all__ = ["ActionKind", "Advice", "AttemptStatus", "ChargeStatus", "EntryKind", "EntryStatus", "PaymentMethod"]

described(
    PaymentMethod,
    "How an order is paid.",
    CREDIT_CARD="By credit card.",
    DEBIT_CARD="By debit card.",
    BANK_TRANSFER="By bank transfer, which may take days.",
    WALLET="By an electronic wallet.",
)


described(
    EntryStatus,
    "What became of a capture or a refund.",
    name="PaymentPartStatus",
    PENDING="The gateway was asked, or is to be.",
    SUCCEEDED="It was done.",
    FAILED="It was not done.",
)


described(
    ChargeStatus,
    "How far an order is paid.",
    NONE="Nothing is held or taken.",
    AUTHORISED="It is held, and not taken yet.",
    PARTIALLY_CAPTURED="Less than the order's total was taken.",
    CAPTURED="It is paid.",
    PARTIALLY_REFUNDED="A part was given back.",
    REFUNDED="All was given back.",
    OVERCHARGED="More was taken than is owed.",
    CHARGED_BACK="The customer's bank has taken money back.",
)


described(
    AttemptStatus,
    "Where an attempt to pay is in its life.",
    name="PaymentAttemptStatus",
    CREATED="The gateway is to be asked.",
    ACTION_REQUIRED="The customer has to do something first.",
    PENDING="The gateway has not decided yet.",
    AUTHORISED="The money is held.",
    PARTIALLY_CAPTURED="A part of it was taken.",
    CAPTURED="It was taken.",
    PARTIALLY_REFUNDED="A part of what was taken was given back.",
    REFUNDED="All that was taken was given back.",
    DECLINED="It was refused.",
    VOIDED="What was held was let go.",
    AUTH_EXPIRED="The gateway does not hold it any longer.",
    CHARGED_BACK="The customer's bank has taken it back.",
)


described(
    Advice,
    "What the gateway advises after a decline.",
    name="DeclineAdvice",
    TRY_AGAIN="The same may work later.",
    OTHER_METHOD="Another way of paying is needed.",
    NONE="Nothing.",
)


described(
    ActionKind,
    "How the customer is to go on.",
    name="PaymentActionKind",
    REDIRECT="By going to the address.",
    CONFIRM="In the gateway's own form.",
)


described(
    EntryKind,
    "Which of a payment's sums an entry changes.",
    name="LedgerEntryKind",
    AUTHORISED="What is held or taken.",
    CAPTURED="What was taken.",
    REFUNDED="What was given back.",
    CHARGED_BACK="What the customer's bank took back.",
)
