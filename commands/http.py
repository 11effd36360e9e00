"""The command API: from a POST to the write loop and back, and the little that is read from the write side."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_json
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from commands.access import may, open_to_anybody
from commands.body import parsed
from commands.denials import Denials
from commands.exchange import Gone, Request, Response, encoded, problem_response
from commands.handler import Answer
from commands.idempotency import client_key, key
from commands.limits import Limiter, Unlimited, limit_of, rate_limited
from commands.log import Unavailable
from commands.message import Command
from commands.preconditions import etag, expected_version, unchanged
from commands.prefer import wait
from commands.problems import Problem, broken, outcome_unknown, overloaded, refused, unavailable
from commands.reply import Envelope, OutcomeUnknown, Overloaded, Reply
from commands.route import CREATED, Resource, Route, shown
from commands.services import Loop, Services
from commands.table import Table
from commands.trace import ROUTE, Trace
from domain.access import Unauthenticated
from domain.actor import ANONYMOUS, Actor
from domain.errors import DomainError, Forbidden, Kind
from domain.token import ConsistencyToken

log: Final = logging.getLogger("chobo.commands.http")

Authenticate = Callable[[str], Actor]
"""From an access token to who it is. Raises a refusal of `domain/access.py`."""

BODY_LIMIT: Final = 100_000  # bytes
LONGEST_WAIT: Final = 30  # seconds
NO_STORE: Final = (b"cache-control", b"no-store")
PRIVATE: Final = (b"cache-control", b"private, no-cache")
REPLAYED: Final = {"idempotent-replayed": "true"}


class CommandApi:
    """An ASGI app for everything below `/v1/`. `loops`, and the `incarnations` of their logs, are by context."""

    def __init__(
        self,
        table: Table,
        loops: Mapping[str, Loop],
        incarnations: Mapping[str, UUID],
        services: Services,
        authenticate: Authenticate,
        body_limit: int = BODY_LIMIT,
        limiter: Limiter = Unlimited(),
        longest_wait: int = LONGEST_WAIT,
    ) -> None:
        """`longest_wait` is in seconds, for `Prefer: wait`; 0 waits for nobody."""
        self._table = table
        self._loops = loops
        self._incarnations = incarnations
        self._services = services
        self._authenticate = authenticate
        self._body_limit = body_limit
        self._limiter = limiter
        self._longest_wait = longest_wait
        self._denials = Denials(loops, services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Gone:
            return
        except Exception as error:  # noqa: BLE001  the edge: whatever happened, the client gets a problem
            response = problem_response(problem_of(error, request.trace), request.trace)
        response.headers += request.limits
        await response.send(send, request.trace, head=request.method == "HEAD")

    async def _answer(self, request: Request) -> Response:
        row, id = self._table.find(request.method, request.path)
        request.scope[ROUTE] = row.path
        request.require_acceptable()
        actor = await self._admitted(request, row)
        if not may(actor, row.scope):
            await self._denials.record(row, actor, id, request.trace)
            raise denial(actor, row.scope)
        if isinstance(row, Route):
            return await self._command(request, row, actor, id)
        assert id is not None, "a resource's path has {id}"
        return await self._look(request, row, actor, id)

    async def _admitted(self, request: Request, row: Route | Resource) -> Actor:
        """Who asks, and has not asked too often. Who was not recognised is counted by address."""
        try:
            actor = self._recognised(request, anybody=open_to_anybody(row.scope))
        except DomainError:
            await self._limited(request, row, ANONYMOUS)
            raise
        await self._limited(request, row, actor)
        return actor

    async def _limited(self, request: Request, row: Route | Resource, actor: Actor) -> None:
        admission = await self._limiter.admit(limit_of(row), actor, request.scope)
        if admission is None:
            return
        request.limits = admission.headers
        if admission.retry_after:
            raise rate_limited(admission)

    def _recognised(self, request: Request, *, anybody: bool) -> Actor:
        token = request.bearer()
        if token is None:
            return ANONYMOUS
        try:
            return self._authenticate(token)
        except DomainError as error:
            # who refreshes a session sends the token that has just expired
            if anybody and error.kind is Kind.UNAUTHENTICATED:
                return ANONYMOUS
            raise

    async def _command(self, request: Request, route: Route, actor: Actor, id: UUID | None) -> Response:
        text = client_key(route, request.headers.get(b"idempotency-key"))
        expected = expected_version(request.headers.get(b"if-match"), required=route.edits)
        message = parsed(route.message, await request.json(self._body_limit)).bind(by=actor, target=id)
        if route.serve is not None:
            answer = await route.serve(message, self._services)
            return Response(200, to_json(answer, by_alias=True), [NO_STORE])
        envelope = Envelope(
            await self._prepared(route, message, id),
            request.trace.correlation_id,
            traceparent=request.trace.traceparent,
            key=key(text, route, message, id, self._services) if text else None,
            expected_version=expected,
        )
        return await self._submitted(request, route, envelope)

    async def _prepared(self, route: Route, message: Command, id: UUID | None) -> Command:
        if route.prepare is None:
            return message
        command = await route.prepare(message, self._services)
        by = message.by if command.by is ANONYMOUS else command.by
        return command.bind(by=by, target=None if command.aimed else id)

    async def _submitted(self, request: Request, route: Route, envelope: Envelope) -> Response:
        context = context_of(type(envelope.command))
        reply = await self._loops[context].submit(envelope)
        if reply.refusal is not None:
            raise refused(reply.refusal, REPLAYED if reply.replayed else {})
        answer = reply.result()
        extra = await route.respond(envelope.command, answer, self._services) if route.respond else {}
        if route.discreet:
            return Response(route.answer.value, to_json({"status": answer.status}), [NO_STORE])
        token = ConsistencyToken.of(context, self._incarnations[context], reply.positions)
        seconds = self._preferred(request) if route.waits else 0
        if not seconds:
            return answered(route, reply, answer, str(token), extra)
        newest = await self._waited(request, context, answer, seconds)
        response = answered(route, reply, newest, str(token), extra)
        response.headers.append((b"preference-applied", b"wait=%d" % seconds))
        return response

    def _preferred(self, request: Request) -> int:
        """For how many seconds the client would like to wait and may."""
        if b"prefer" not in request.headers:
            return 0
        return min(wait(request.scope["headers"]) or 0, self._longest_wait)

    async def _waited(self, request: Request, context: str, answer: Answer, seconds: int) -> Answer:
        """The newest of the aggregate once it is settled, or when the time is over. Raises Gone."""
        try:
            await request.unless_gone(self._services.settled(context, answer.id, seconds))
            state = await self._services.states.get(context, answer.id)
        except Unavailable as error:  # the command is done, whatever can be said of it now
            log.warning("not known how %s goes on: %s", answer.id, error)
            return answer
        return answer if state is None else shown(state, answer.id)

    async def _look(self, request: Request, resource: Resource, actor: Actor, id: UUID) -> Response:
        state = await self._services.states.get(resource.context, resource.stream(id))
        if not isinstance(state, resource.of) or not visible(state, resource, actor):
            raise resource.missing(id)
        answer = resource.show(state, id)
        headers = [(b"etag", etag(answer.version).encode()), PRIVATE]
        if unchanged(request.headers.get(b"if-none-match"), answer.version):
            return Response(304, b"", headers)
        return Response(200, to_json({"id": answer.id, "version": answer.version, "status": answer.status}), headers)


def denial(actor: Actor, scope: str) -> DomainError:
    if actor is ANONYMOUS:
        return Unauthenticated()
    return Forbidden(f"this needs the scope {scope}, which your roles do not give", scope=scope)


def visible(state: Any, resource: Resource, actor: Actor) -> bool:
    return resource.owner is None or actor.may_touch(resource.owner(state))


@cache
def context_of(command: type[Command]) -> str:
    """`orders` of a command in `commands.orders.messages`."""
    return command.__module__.split(".")[1]


def answered(route: Route, reply: Reply, answer: Answer, token: str, extra: Mapping[str, Any]) -> Response:
    address = f"/v1/{route.makes or route.collection}/{answer.id}"
    headers = [(b"etag", etag(answer.version).encode()), (b"consistency-token", token.encode()), NO_STORE]
    if route.answer is CREATED:
        headers.append((b"location", address.encode()))
    if reply.replayed:
        headers += encoded(REPLAYED.items())
    body = {
        "id": answer.id,
        "version": answer.version,
        "status": answer.status,
        "consistencyToken": token,
        "links": {"self": address},
        **extra,
    }
    return Response(route.answer.value, to_json(body), headers)


def problem_of(error: Exception, trace: Trace) -> Problem:
    match error:
        case Problem():
            return error
        case DomainError():
            return refused(error)
        case Overloaded():
            return overloaded(error)
        case OutcomeUnknown():
            return outcome_unknown()
        case Unavailable():
            return unavailable()
        case _:
            log.error(
                "unexpected error",
                exc_info=error,
                extra={"correlation_id": trace.correlation_id, "trace_id": trace.trace_id},
            )
            return broken()


class Commands(BaseRoute):
    """Hands everything below `/v1/` to the command API, before any of Starlette's own routes is tried."""

    def __init__(self, api: CommandApi) -> None:
        self._api = api

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        mine = scope["type"] == "http" and scope["path"].startswith("/v1/")
        return (Match.FULL if mine else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._api(scope, receive, send)
