"""What the SDK raises, as the port's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import stripe

from commands.payments.gateway import Invalid, RateLimited, Unknown

RETRY_AFTER: Final = 1.0
"""Seconds, where a 429 does not say."""

PERHAPS_DONE: Final = frozenset(
    {"payment_intent_unexpected_state", "charge_already_captured", "charge_already_refunded", "amount_too_large"}
)
"""Codes with which Stripe refuses what it has done already: to be looked at."""


def answer_to(error: stripe.StripeError) -> Invalid | RateLimited | Unknown:
    """Of every error but a decline.

    A key of ours that is refused is Unknown, not Invalid: it is a matter of settings, and the same request is good
    once they are mended; until then it must not settle as failed.
    """
    match error:
        case stripe.RateLimitError():
            return RateLimited(seconds_in(error.headers or {}))
        case stripe.AuthenticationError() | stripe.PermissionError():
            return Unknown(f"the gateway refuses CHOBO_GATEWAY_KEY ({error.http_status}): {error.user_message}")
        case stripe.IdempotencyError() | stripe.InvalidRequestError():
            return Invalid(code_of(error), error.user_message or "the gateway does not say why")
        case _:
            return Unknown(f"{type(error).__name__} {error.http_status or ''}: {reason(error)}")


def code_of(error: stripe.StripeError) -> str:
    return str(error.code or details(error).get("type") or "invalid_request_error")


def details(error: stripe.StripeError) -> Mapping[str, Any]:
    """The object `error` of the body."""
    body = error.json_body
    inner = body.get("error") if isinstance(body, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def reason(error: stripe.StripeError) -> str:
    """The network's own words where it is the network: the SDK's are of no use."""
    return repr(error.__cause__) if error.__cause__ else str(error.user_message)


def seconds_in(headers: Mapping[str, str]) -> float:
    try:
        return max(0.0, float(headers.get("retry-after", RETRY_AFTER)))
    except ValueError:
        return RETRY_AFTER


def replayed(headers: Mapping[str, str] | None) -> bool:
    """The answer is the first one that was given for this key, whatever has happened since."""
    return (headers or {}).get("idempotent-replayed") == "true"
