"""Errors as Stripe words and codes them."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]
"""An object of Stripe's API. Keys that begin with `_` are the sandbox's own and never shown."""


class Refusal(Exception):
    """`kept`: the answer belongs to the idempotency key; an error in the parameters does not."""

    def __init__(
        self, message: str, *, code: str | None = None, param: str | None = None, status: int = 400, kept: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        self.error: JSON = {"type": "invalid_request_error", "message": message}
        self.error |= {name: value for name, value in (("code", code), ("param", param)) if value}

    def of(self, intent: JSON) -> Refusal:
        """The same, with the payment intent as it stands."""
        self.error["payment_intent"] = intent
        return self


class CardRefused(Refusal):
    """402: the bank says no."""

    def __init__(self, declined: str) -> None:
        super().__init__("Your card was declined.", status=402, kept=True)
        self.error = decline(declined)


ADVICE = {
    "processing_error": "try_again_later",
    "incorrect_cvc": "confirm_card_data",
    "lost_card": "do_not_try_again",
    "stolen_card": "do_not_try_again",
}
OWN_CODES = frozenset({"expired_card", "incorrect_cvc", "processing_error"})
"""Declines whose code is not `card_declined`."""


def decline(declined: str) -> JSON:
    code = declined if declined in OWN_CODES else "card_declined"
    error = {"type": "card_error", "code": code, "decline_code": declined, "message": "Your card was declined."}
    return error | ({"advice_code": ADVICE[declined]} if declined in ADVICE else {})


def missing(kind: str, id: str, param: str) -> Refusal:
    status = 404 if param in {"id", "intent"} else 400
    return Refusal(f"No such {kind}: '{id}'", code="resource_missing", param=param, status=status)


def unexpected(intent: JSON, verb: str, allowed: str) -> Refusal:
    message = (
        f"This PaymentIntent's {verb} is not possible because it has a status of {intent['status']}. "
        f"Only a PaymentIntent with one of the following statuses will do: {allowed}."
    )
    return Refusal(message, code="payment_intent_unexpected_state", kept=True)
