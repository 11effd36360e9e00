"""GraphQL over HTTP, the way out: errors as clients see them, and statuses by media type."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from cross_web import HTTPException
from graphql import GraphQLError
from psycopg_pool import PoolTimeout
from pydantic_core import to_json
from starlette.responses import Response
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from domain.errors import DomainError, Kind
from read_api.documents import DocumentRefused
from read_api.errors import CrossSiteQuery, InvalidDocument, InvalidPersistedQuery, PersistedQueryNotFound
from read_api.rate import RateLimited
from read_api.request import JSON

CODES: Final = {
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    413: "BODY_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
}
"""The codes of what is wrong with the request itself, by status; any other status is VALIDATION_FAILED."""

RATE_LIMITED: Final = "RATE_LIMITED"

INTERNAL: Final[dict[str, Any]] = {
    "message": "Something is broken here; it has been logged.",
    "extensions": {"code": "INTERNAL_ERROR"},
}
UNAVAILABLE: Final[dict[str, Any]] = {
    "message": "The read models cannot be reached at present: try again.",
    "extensions": {"code": "UNAVAILABLE"},
}
NOT_VALID: Final = (GraphQLError, CannotGetOperationTypeError, InvalidOperationTypeError)
AWAY: Final = (psycopg.OperationalError, PoolTimeout)

log = logging.getLogger(__name__)


class Answers:
    """The answers to one request. `trace` is the id by which its log lines are found, "" if it has none."""

    def __init__(self, media_type: str = JSON, trace: str = "") -> None:
        self.media_type = media_type
        self._trace = trace

    def error(self, error: GraphQLError) -> dict[str, Any]:
        """A refusal with its code and facts, what is our fault without any detail."""
        shown: dict[str, Any] = dict(error.formatted)
        shown.pop("extensions", None)
        return shown | self.traced(body_of(error))

    def refusal(self, error: Exception) -> dict[str, Any]:
        """Of an operation that has no answer of its own to be refused with, such as one of a socket."""
        return self.error(GraphQLError(str(error), original_error=error))

    def traced(self, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"extensions": body["extensions"] | {"traceId": self._trace}} if self._trace else body

    def not_executed(self, error: Exception) -> Response:
        """The answer to a request of which nothing was executed."""
        match error:
            case DocumentRefused():
                return self.document(error.errors)
            case PersistedQueryNotFound() | InvalidPersistedQuery():
                return self.document([GraphQLError(error.detail, original_error=error)])
            case DomainError():
                return self.refused(error)
            case RateLimited():
                headers = {"retry-after": str(error.retry_after)}
                return self.one(429, rate_limited(error), headers)
            case HTTPException():
                headers = {"allow": "GET, POST"} if error.status_code == 405 else {}
                code = CODES.get(error.status_code, "VALIDATION_FAILED")
                return self.one(error.status_code, told(error.reason, code), headers)
        if isinstance(error, AWAY):
            return self.one(503, UNAVAILABLE, {"retry-after": "1"})
        log.error("a GraphQL request failed", exc_info=error)
        return self.one(500, INTERNAL)

    def executed(
        self, data: dict[str, Any] | None, errors: Sequence[GraphQLError], extensions: dict[str, Any]
    ) -> Response:
        """Execution has begun, whatever came of it: the status is 200, and there is `data`, if only null."""
        body: dict[str, Any] = {"data": data}
        if errors:
            body["errors"] = [self.error(error) for error in errors]
        return Response(to_json(body | {"extensions": extensions}), media_type=self.media_type)

    def document(self, errors: Sequence[GraphQLError], extensions: dict[str, Any] | None = None) -> Response:
        """The request was well-formed, the document or its variables were not.

        As application/json the status has to be 200: it is what clients of that media type look for.
        """
        body: dict[str, Any] = {"errors": [self.error(error) for error in errors]}
        if extensions:
            body["extensions"] = extensions
        return Response(to_json(body), 200 if self.media_type == JSON else 400, media_type=self.media_type)

    def refused(self, refusal: DomainError) -> Response:
        if refusal.kind is Kind.UNAUTHENTICATED:
            return self.one(401, refusal_body(refusal), {"www-authenticate": 'Bearer realm="chobo"'})
        return self.one(403 if isinstance(refusal, CrossSiteQuery) else 400, refusal_body(refusal))

    def one(self, status: int, error: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
        return Response(to_json({"errors": [self.traced(error)]}), status, headers, self.media_type)


def reason_to_be_away(errors: Sequence[GraphQLError]) -> Exception | None:
    """Why nothing could be read, if all errors are of that kind."""
    reasons = [error.original_error for error in errors]
    return reasons[0] if reasons and all(isinstance(reason, AWAY) for reason in reasons) else None


def body_of(error: GraphQLError) -> dict[str, Any]:
    original = error.original_error
    if isinstance(original, DomainError):
        return refusal_body(original)
    if isinstance(original, RateLimited):
        return rate_limited(original)
    if original is None or isinstance(original, NOT_VALID):
        return told(error.message, InvalidDocument.code)
    return UNAVAILABLE if isinstance(original, AWAY) else INTERNAL


def refusal_body(refusal: DomainError) -> dict[str, Any]:
    return {"message": refusal.detail, "extensions": {**refusal.facts, "code": refusal.code}}


def rate_limited(refusal: RateLimited) -> dict[str, Any]:
    """A socket has no headers to say when to ask again."""
    return {
        "message": str(refusal),
        "extensions": {"retryAfter": refusal.retry_after, "code": RATE_LIMITED},
    }


def told(message: str, code: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}
