"""GraphQL over HTTP: who asks, what they must be able to see, how much they may ask, and how errors look."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from cross_web import HTTPException
from graphql import GraphQLError, GraphQLSyntaxError
from psycopg_pool import PoolTimeout
from pydantic_core import to_json
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult

from domain.access import Unauthenticated
from domain.actor import ANONYMOUS, Actor
from domain.errors import DomainError, Kind
from domain.token import ConsistencyToken
from projections.history import Stream
from projections.pool import Pool
from projections.waiting import Watch
from read_api.context import Context, Permit, nobody
from read_api.cursor import Cursors
from read_api.errors import InvalidDocument, QueryTimedOut
from read_api.limits import MAX_TOKENS, too_complex
from read_api.rate import Admit, RateLimited, everything
from read_api.schema import Schema

Authenticate = Callable[[str], Actor]
"""Who has this access token. Raises a refusal of kind UNAUTHENTICATED."""

CODES: Final = {405: "METHOD_NOT_ALLOWED", 404: "NOT_FOUND", 413: "BODY_TOO_LARGE"}
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


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one request may take: bytes of body, seconds of waiting for a token, seconds of executing."""

    body: int = 100_000
    waiting: float = 5.0
    executing: float = 5.0


class GraphQLApp(GraphQL[Context, None]):
    """The ASGI app at /graphql. Every answer is JSON, with a code in each error."""

    def __init__(
        self,
        schema: Schema,
        pool: Pool,
        watch: Watch,
        authenticate: Authenticate,
        cursors: Cursors,
        *,
        admit: Admit = everything,
        allowance: Allowance = Allowance(),
        logs: Mapping[str, Stream] | None = None,
        permit: Permit = nobody,
        graphiql: bool = False,
    ) -> None:
        super().__init__(schema, graphql_ide="graphiql" if graphiql else None, subscription_protocols=())
        self._pool = pool
        self._watch = watch
        self._authenticate = authenticate
        self._cursors = cursors
        self._admit = admit
        self._allowance = allowance
        self._permit = permit
        self._logs = {} if logs is None else logs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, limited(receive, self._allowance.body))
        request.state.limits = []
        try:
            response = await self.run(request)
        except Exception as error:  # noqa: BLE001  # whatever it is, the answer is JSON
            response = not_executed(error)
        response.raw_headers.extend(request.state.limits)
        await response(scope, receive, send)

    async def get_context(self, request: Any, response: Any) -> Context:
        """Raises the refusals of a request that must not be executed at all."""
        context = Context(
            await self._admitted(request), self._pool, self._cursors, logs=self._logs, permit=self._permit
        )
        if text := request.headers.get("consistency-token"):
            context.waited = await self._watch.wait(ConsistencyToken.parse(text), self._allowance.waiting)
        request.state.context = context
        return context

    def parse_json(self, data: str | bytes) -> Any:
        """One JSON object; anything else, a batch too, is refused."""
        try:
            parsed = super().parse_json(data)
        except (ValueError, RecursionError):
            raise HTTPException(400, "the body must be JSON in UTF-8") from None
        if not isinstance(parsed, dict):
            raise HTTPException(400, "the body must be one JSON object with `query`, `variables` and `operationName`")
        return parsed

    async def execute_single(self, *args: Any, **kwargs: Any) -> ExecutionResult:
        seconds = self._allowance.executing
        try:
            async with asyncio.timeout(seconds):
                return await super().execute_single(*args, **kwargs)
        except TimeoutError:
            refusal = QueryTimedOut(seconds)
            return ExecutionResult(data=None, errors=[GraphQLError(refusal.detail, original_error=refusal)])

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        response: GraphQLHTTPResponse = {"data": result.data}
        if result.errors:
            response["errors"] = [formatted(error) for error in result.errors]
        waited = request.state.context.waited
        if waited is not None:
            response["extensions"] = {"consistency": {"satisfied": waited.satisfied, "waitedMs": waited.ms}}
        return response

    def encode_json(self, data: object) -> bytes:
        return to_json(data)

    async def _admitted(self, request: Request) -> Actor:
        """Who asks, and has not asked too often. Who was not recognised is counted by address."""
        try:
            actor = self._actor(request)
        except DomainError:
            await self._counted(request, ANONYMOUS)
            raise
        await self._counted(request, actor)
        return actor

    async def _counted(self, request: HTTPConnection, actor: Actor) -> None:
        admission = await self._admit(actor, request.scope)
        if admission is None:
            return
        request.state.limits = admission.headers
        if admission.retry_after:
            raise RateLimited(admission.allowed, admission.retry_after)

    def _actor(self, request: Request) -> Actor:
        return self.actor_of(request.headers.get("authorization"))

    def actor_of(self, header: str | None) -> Actor:
        """Who an `Authorization` is of. Raises a refusal of kind UNAUTHENTICATED."""
        if header is None:
            return ANONYMOUS
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated
        return self._authenticate(token.strip())


def formatted(error: GraphQLError) -> dict[str, Any]:
    """An error as clients see it: a refusal with its code and facts, what is our fault without any detail."""
    shown: dict[str, Any] = dict(error.formatted)
    shown.pop("extensions", None)
    return shown | body_of(error)


def body_of(error: GraphQLError) -> dict[str, Any]:
    original = error.original_error
    if isinstance(original, DomainError):
        return refusal_body(original)
    if isinstance(error, GraphQLSyntaxError) and f"more than {MAX_TOKENS} tokens" in error.message:
        return body_of(too_complex(f"more than {MAX_TOKENS} tokens"))
    if original is None or isinstance(original, NOT_VALID):
        return told(error.message, InvalidDocument.code)
    return UNAVAILABLE if isinstance(original, AWAY) else INTERNAL


def refusal_body(refusal: DomainError) -> dict[str, Any]:
    return {"message": refusal.detail, "extensions": {**refusal.facts, "code": refusal.code}}


def limited(receive: Receive, maximum: int) -> Receive:
    """Raises HTTPException 413 when more than `maximum` bytes of body come."""
    left = maximum

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, f"at most {maximum} bytes are taken")
        return message

    return counted


def told(message: str, code: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


def not_executed(error: Exception) -> Response:
    """The answer to a request of which nothing was executed."""
    if isinstance(error, DomainError):
        return refused(error)
    if isinstance(error, RateLimited):
        return answer(429, told(str(error), RATE_LIMITED), {"retry-after": str(error.retry_after)})
    if isinstance(error, HTTPException):
        return answer(error.status_code, told(error.reason, CODES.get(error.status_code, "VALIDATION_FAILED")))
    if isinstance(error, AWAY):
        return answer(503, UNAVAILABLE, {"retry-after": "1"})
    log.error("a GraphQL request failed", exc_info=error)
    return answer(500, INTERNAL)


def refused(refusal: DomainError) -> Response:
    if refusal.kind is not Kind.UNAUTHENTICATED:
        return answer(400, refusal_body(refusal))
    return answer(401, refusal_body(refusal), {"www-authenticate": 'Bearer realm="chobo"'})


def answer(status: int, error: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(to_json({"errors": [error]}), status, headers, "application/json")
