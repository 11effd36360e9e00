"""The codes of problems, and the tables their HTTP statuses come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.errors import REFUSALS, DomainError, Kind

STATUS: Final[dict[Kind, int]] = {
    Kind.INVALID: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.STALE: 412,
}
"""What sort of refusal -> HTTP status. There is no other place where a refusal gets its status."""


@dataclass(frozen=True, slots=True)
class Sort:
    """One code: what all problems with it have in common. `advice` is for its page."""

    code: str
    status: int
    title: str
    advice: str
    retryable: bool = False


def kebab(code: str) -> str:
    return code.lower().replace("_", "-")


MALFORMED_JSON: Final = Sort(
    "MALFORMED_JSON",
    400,
    "The body is not JSON",
    "Send one JSON object (RFC 8259) in UTF-8: no comments, no NaN, no trailing commas.",
)
DUPLICATE_FIELD: Final = Sort(
    "DUPLICATE_FIELD",
    400,
    "A field occurs twice in one object",
    "Send each field once: readers disagree about which one counts.",
)
TOO_DEEP: Final = Sort(
    "TOO_DEEP",
    400,
    "The JSON is nested too deeply",
    "No request needs more than a few levels; send it flat.",
)
INVALID_HEADER: Final = Sort(
    "INVALID_HEADER",
    400,
    "A header cannot be understood",
    "The detail names the header and its form.",
)
IDEMPOTENCY_KEY_REQUIRED: Final = Sort(
    "IDEMPOTENCY_KEY_REQUIRED",
    400,
    "This request needs an Idempotency-Key",
    "Send a header Idempotency-Key with a fresh random value, and the same value when you repeat the request.",
)
METHOD_NOT_ALLOWED: Final = Sort(
    "METHOD_NOT_ALLOWED",
    405,
    "This address does not take this method",
    "The header Allow names the methods it takes.",
)
NOT_ACCEPTABLE: Final = Sort(
    "NOT_ACCEPTABLE",
    406,
    "Only JSON can be sent",
    "Accept application/json and application/problem+json, or leave Accept out.",
)
BODY_TOO_LARGE: Final = Sort(
    "BODY_TOO_LARGE",
    413,
    "The body is too large",
    "The facts name the limit in bytes; split the request.",
)
UNSUPPORTED_MEDIA_TYPE: Final = Sort(
    "UNSUPPORTED_MEDIA_TYPE",
    415,
    "The body must be JSON",
    "Send Content-Type: application/json, in UTF-8.",
)
VALIDATION_FAILED: Final = Sort(
    "VALIDATION_FAILED",
    422,
    "The request is not valid",
    "Each entry of errors points to a value (RFC 6901) and says what is allowed.",
)
PRECONDITION_FAILED: Final = Sort(
    "PRECONDITION_FAILED",
    412,
    "The precondition cannot hold",
    "Send the ETag exactly as you got it from GET or from the last answer.",
)
PRECONDITION_REQUIRED: Final = Sort(
    "PRECONDITION_REQUIRED",
    428,
    "Say which version you are editing",
    "Read the resource and send its ETag as If-Match, so that nobody's changes are lost.",
)
RATE_LIMITED: Final = Sort(
    "RATE_LIMITED",
    429,
    "Too many requests within a minute",
    "Nothing was done. Wait for the seconds in Retry-After; RateLimit on every answer says how many are left.",
    retryable=True,
)
INTERNAL_ERROR: Final = Sort(
    "INTERNAL_ERROR",
    500,
    "Something is broken here",
    "It is our fault and has been logged. Quote the traceId when you report it.",
)
OVERLOADED: Final = Sort(
    "OVERLOADED",
    503,
    "Too many commands are waiting",
    "Nothing was done. Repeat after the seconds in Retry-After.",
    retryable=True,
)
OUTCOME_UNKNOWN: Final = Sort(
    "OUTCOME_UNKNOWN",
    503,
    "It is not known whether this was done",
    "Repeat the request with the same Idempotency-Key: you get the one outcome it has. Without a key, look first.",
    retryable=True,
)

UNAVAILABLE: Final = Sort(
    "UNAVAILABLE",
    503,
    "The event log cannot be reached",
    "Nothing was done. Repeat after the seconds in Retry-After.",
    retryable=True,
)

WEBHOOK_NOT_SIGNED: Final = Sort(
    "WEBHOOK_NOT_SIGNED",
    400,
    "The webhook's signature is not good",
    "Sign it with the secret that is set here for this gateway; while it is rotated, both hold.",
)
WEBHOOK_TOO_OLD: Final = Sort(
    "WEBHOOK_TOO_OLD",
    400,
    "The webhook was signed too long ago",
    "Send it anew, signed now; look whether the clocks agree.",
)
WEBHOOK_MALFORMED: Final = Sort(
    "WEBHOOK_MALFORMED",
    400,
    "The webhook cannot be read",
    "It is well signed, but not what this gateway sends: look at the version of its API.",
)
GATEWAY_SILENT: Final = Sort(
    "GATEWAY_SILENT",
    503,
    "The payment gateway does not answer",
    "Nothing was kept. Repeat after the seconds in Retry-After.",
    retryable=True,
)

HTTP_ONLY: Final = {
    sort.code: sort
    for sort in (
        MALFORMED_JSON, DUPLICATE_FIELD, TOO_DEEP, INVALID_HEADER, IDEMPOTENCY_KEY_REQUIRED, METHOD_NOT_ALLOWED,
        NOT_ACCEPTABLE, PRECONDITION_FAILED, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, VALIDATION_FAILED,
        PRECONDITION_REQUIRED, RATE_LIMITED, INTERNAL_ERROR, OVERLOADED, OUTCOME_UNKNOWN, UNAVAILABLE,
        WEBHOOK_NOT_SIGNED, WEBHOOK_TOO_OLD, WEBHOOK_MALFORMED, GATEWAY_SILENT,
    )
}  # fmt: skip
"""The codes that only HTTP has; all others are refusals (`domain/errors.py: REFUSALS`)."""


def sort_of(refusal: type[DomainError]) -> Sort:
    return Sort(refusal.code, STATUS[refusal.kind], refusal.title, described(refusal), refusal.retryable)


def described(refusal: type[DomainError]) -> str:
    """The refusal's own docstring, not the one it inherits."""
    return " ".join((refusal.__dict__.get("__doc__") or "").split())


def all_sorts() -> list[Sort]:
    """Every code a problem can have, sorted: what only HTTP has and every refusal."""
    return sorted([*HTTP_ONLY.values(), *map(sort_of, REFUSALS.values())], key=lambda sort: sort.code)
