"""What to do after a decline, from the gateway's own advice or else from its code (docs.stripe.com/declines/codes)."""

from __future__ import annotations

from typing import Final

from domain.payments.events import Advice

GIVEN: Final[dict[str, Advice]] = {
    "try_again_later": Advice.TRY_AGAIN,
    "confirm_card_data": Advice.OTHER_METHOD,  # the data have to be entered anew: that makes another token
    "do_not_try_again": Advice.OTHER_METHOD,
}

TRY_AGAIN: Final = frozenset(
    {
        "approve_with_id",
        "authentication_required",
        "issuer_not_available",
        "payment_intent_authentication_failure",
        "processing_error",
        "reenter_transaction",
        "try_again_later",
    }
)
OTHER_METHOD: Final = frozenset(
    {
        "card_not_supported",
        "card_velocity_exceeded",
        "currency_not_supported",
        "debit_not_authorized",
        "expired_card",
        "incorrect_address",
        "incorrect_cvc",
        "incorrect_number",
        "incorrect_pin",
        "incorrect_zip",
        "insufficient_funds",
        "invalid_account",
        "invalid_cvc",
        "invalid_expiry_month",
        "invalid_expiry_year",
        "invalid_number",
        "lost_card",
        "new_account_information_available",
        "not_permitted",
        "pickup_card",
        "pin_try_exceeded",
        "restricted_card",
        "stolen_card",
        "testmode_decline",
        "withdrawal_count_limit_exceeded",
    }
)


def advice_of(code: str, given: str | None = None) -> Advice:
    """`given` is the gateway's own advice, where it gives one. A code that says nothing gives Advice.NONE."""
    if given in GIVEN:
        return GIVEN[given]
    if code in TRY_AGAIN:
        return Advice.TRY_AGAIN
    return Advice.OTHER_METHOD if code in OTHER_METHOD else Advice.NONE
