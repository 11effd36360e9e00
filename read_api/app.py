"""GraphQL over HTTP: who asks, what they must be able to see, how much they may ask, and how it is executed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cross_web import HTTPException
from pydantic_core import to_json
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.types.graphql import OperationType

from domain.access import Unauthenticated
from domain.actor import ANONYMOUS, Actor
from domain.errors import DomainError
from domain.token import ConsistencyToken
from projections.history import Stream
from projections.pool import Pool, patient_for
from projections.waiting import Waited, Watch
from read_api.answers import Answers, reason_to_be_away
from read_api.compiled.path import CompiledPath
from read_api.context import Context, Permit, nobody
from read_api.cost import MAX_COST
from read_api.cursor import Cursors
from read_api.documents import Asked, error_of
from read_api.errors import QueryTimedOut
from read_api.graphiql.pages import page
from read_api.rate import Admit, RateLimited, everything, units
from read_api.request import (
    JSON,
    Parameters,
    limited,
    media_type,
    parameters,
    require_no_forgery,
    wants_page,
    wants_stream,
)
from read_api.schema import Schema

VARY: Final = (b"vary", b"Accept, Authorization, Consistency-Token")
"""What an answer depends on besides the request's address and body. Nobody but who asked may keep one, nor do they."""

Authenticate = Callable[[str], Actor]
"""Who has this access token. Raises a refusal of kind UNAUTHENTICATED."""

TraceId = Callable[[Scope], str]
"""By what a request's log lines are found."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one request may take: bytes of body, and seconds of waiting for a token, of waiting for a connection each
    time that it needs one, and of executing.
    """

    body: int = 100_000
    waiting: float = 5.0
    connecting: float = 1.5
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
        trace_id: TraceId = lambda _: "",
        graphiql: bool = False,
        compiled: bool = True,
    ) -> None:
        super().__init__(schema, graphql_ide="graphiql" if graphiql else None, subscription_protocols=())
        self._schema = schema
        self._documents = schema.documents
        self._pool = pool
        self._watch = watch
        self._authenticate = authenticate
        self._cursors = cursors
        self._admit = admit
        self._allowance = allowance
        self._permit = permit
        self._logs = {} if logs is None else logs
        self._persisted = schema.persisted
        self._trace_id = trace_id
        self._compiled = CompiledPath(schema, cursors) if compiled else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, limited(receive, self._allowance.body))
        request.state.limits = []
        request.state.answers = Answers(JSON, self._trace_id(scope))
        try:
            with patient_for(self._allowance.connecting):
                response = await self._answer(request)
        except Exception as error:  # noqa: BLE001  # whatever it is, the answer is JSON
            response = request.state.answers.not_executed(error)
        response.raw_headers.extend([*request.state.limits, VARY])
        response.headers.setdefault("cache-control", "no-store")
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        accept = request.headers.get("accept", "")
        if wants_stream(accept):
            require_no_forgery(request, MAX_COST)
            return await self._stream(request)
        if request.method == "GET" and "query" not in request.query_params and wants_page(accept):
            return self._page()
        answers: Answers = request.state.answers
        answers.media_type = media_type(accept)
        actor = await self._recognised(request)
        await self._counted(request, actor, 1)
        asked = self._asked(request, await parameters(request))
        await self._counted(request, actor, units(asked.cost) - 1)
        context = await self._context(request, actor)
        return await self._executed(answers, asked, context)

    def _asked(self, request: Request, given: Parameters) -> Asked:
        """What is to be executed. Raises what says why it is not."""
        text = self._persisted.text(given.query, given.extensions)
        if text is None:
            raise HTTPException(400, "`query` is missing: there is no document to execute")
        asked = self._documents.ask(text, given.operation_name, given.variables)
        self._persisted.remember(given.query, given.extensions)
        if not asked.operation.is_query:
            raise HTTPException(405 if request.method == "GET" else 400, "only queries are executed by this request")
        require_no_forgery(request, asked.cost)
        return asked

    async def _executed(self, answers: Answers, asked: Asked, context: Context) -> Response:
        seconds = self._allowance.executing
        extensions = extensions_of(asked, context)
        try:
            async with asyncio.timeout(seconds):
                data = await self._compiled.data(asked, context.actor, context.pool) if self._compiled else None
                if data is not None:
                    return Response(beside(data, extensions), media_type=answers.media_type)
                result = await self.schema.execute(
                    asked.operation.text,
                    variable_values=dict(asked.variables),
                    context_value=context,
                    operation_name=asked.operation.name,
                    allowed_operation_types=[OperationType.QUERY],
                )
        except TimeoutError:
            return answers.executed(None, [error_of(QueryTimedOut(seconds))], extensions)
        errors = result.errors or []
        if result.data is None and not any(error.path for error in errors):
            return answers.document(errors, extensions)
        if not any((result.data or {}).values()) and (away := reason_to_be_away(errors)):
            raise away
        return answers.executed(result.data, errors, extensions)

    def _page(self) -> Response:
        if not self.graphql_ide:
            raise HTTPException(404, "there is no page here: CHOBO_GRAPHIQL shows one")
        return page()

    # -- who asks, how often, and after what

    async def _recognised(self, request: Request) -> Actor:
        """Who was not recognised is counted by address."""
        try:
            return self._actor(request)
        except DomainError:
            await self._counted(request, ANONYMOUS, 1)
            raise

    async def _counted(self, request: HTTPConnection, actor: Actor, units: int) -> None:
        """One before a document is looked at, so that who asks too often costs nothing; then what it costs beside that.

        Raises RateLimited.
        """
        if not units:
            return
        admission = await self._admit(actor, request.scope, units)
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

    async def _context(self, request: Request, actor: Actor) -> Context:
        context = Context(actor, self._pool, self._cursors, logs=self._logs, permit=self._permit)
        if text := request.headers.get("consistency-token"):
            context.waited = await self._watch.wait(ConsistencyToken.parse(text), self._allowance.waiting)
        return context

    async def _stream(self, request: Request) -> Response:
        raise HTTPException(406, "there are no streams here")


def extensions_of(asked: Asked, context: Context) -> dict[str, Any]:
    """What is said beside the data."""
    said: dict[str, Any] = {"cost": {"requested": asked.cost, "maximum": MAX_COST}}
    if (waited := context.waited) is not None:
        said["consistency"] = consistency(waited)
    return said


def consistency(waited: Waited) -> dict[str, Any]:
    return {"satisfied": waited.satisfied, "waitedMs": waited.ms}


def beside(data: bytes, extensions: dict[str, Any]) -> bytes:
    """The whole answer around data that is JSON already."""
    return b'{"data":%s,"extensions":%s}' % (data, to_json(extensions))
