"""Problems (RFC 9457): the one form in which the command API says no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypedDict

from pydantic_core import to_json

from commands.codes import INTERNAL_ERROR, OUTCOME_UNKNOWN, OVERLOADED, UNAVAILABLE, Sort, kebab, sort_of
from commands.reply import Overloaded
from domain.errors import DomainError, Kind


class Fault(TypedDict):
    """One thing wrong with a request. `pointer` is a JSON pointer into the body ("" is the whole)."""

    pointer: str
    code: str
    detail: str


@dataclass
class Problem(Exception):
    """Raised anywhere in the HTTP layer; becomes the response."""

    sort: Sort
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    errors: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, trace_id: str) -> bytes:
        return to_json(
            {
                "type": f"/problems/{kebab(self.sort.code)}",
                "title": self.sort.title,
                "status": self.sort.status,
                "code": self.sort.code,
                "detail": self.detail,
                "facts": self.facts,
                "errors": self.errors,
                "retryable": self.sort.retryable,
                "traceId": trace_id,
            }
        )


def refused(refusal: DomainError, headers: Mapping[str, str] = MappingProxyType({})) -> Problem:
    """The problem for a refusal; `headers` are added to what its status asks for."""
    return Problem(sort_of(type(refusal)), refusal.detail, refusal.facts, headers={**challenge(refusal), **headers})


def challenge(refusal: DomainError) -> Mapping[str, str]:
    """WWW-Authenticate (RFC 6750) where somebody was not recognised."""
    if refusal.kind is not Kind.UNAUTHENTICATED:
        return {}
    if refusal.code == "UNAUTHENTICATED":
        return {"www-authenticate": 'Bearer realm="chobo"'}
    description = refusal.title.replace('"', "'")
    return {"www-authenticate": f'Bearer realm="chobo", error="invalid_token", error_description="{description}"'}


def overloaded(error: Overloaded) -> Problem:
    return Problem(OVERLOADED, "too many commands are waiting", headers={"retry-after": str(error.retry_after)})


def outcome_unknown() -> Problem:
    return Problem(OUTCOME_UNKNOWN, OUTCOME_UNKNOWN.advice, headers={"retry-after": "1"})


def unavailable() -> Problem:
    return Problem(UNAVAILABLE, "the event log cannot be reached at present", headers={"retry-after": "1"})


def broken() -> Problem:
    """What the client is told of an unexpected exception: nothing of it."""
    return Problem(INTERNAL_ERROR, INTERNAL_ERROR.advice)
