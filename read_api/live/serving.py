"""The graph with its subscriptions, over server-sent events and WebSocket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from typing import Any, Final

from cross_web import HTTPException
from pydantic_core import to_json
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.http import GraphQLHTTPResponse
from strawberry.http.streaming import AsyncTextStream, HTTPStreamTransport, SSETransport, merge_stream_with_heartbeat
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.execution import ExecutionResult
from strawberry.types.graphql import OperationType

from domain.access import Unauthenticated
from domain.actor import ANONYMOUS, Actor
from domain.errors import DomainError
from domain.token import ConsistencyToken
from projections.pool import patient_for
from read_api.answers import Answers, refusal_body
from read_api.app import GraphQLApp, consistency, extensions_of
from read_api.context import Context, Listening
from read_api.documents import Asked, DocumentRefused, error_of
from read_api.errors import TooManyStreams
from read_api.live.hub import Live
from read_api.live.meter import Begun, Meter
from read_api.live.results import results_of
from read_api.live.socket import Handler, Socket
from read_api.rate import units
from read_api.request import Parameters, json_object, parameters

INIT: Final = timedelta(seconds=10)
"""For a client to say who it is, after it has opened a WebSocket."""


Traced = Callable[[Scope], AbstractContextManager[str]]
"""Gives an operation of a socket an id of its own, by which log lines within the block are found."""


@contextmanager
def untraced(scope: Scope) -> Iterator[str]:
    yield ""


class Events(SSETransport):
    """Only subscriptions come as server-sent events: a query has an answer of its own."""

    def allowed_operation_types(self, allowed_operation_types: set[OperationType]) -> Iterable[OperationType]:
        return (OperationType.SUBSCRIPTION,)


class LiveGraphQLApp(GraphQLApp):
    """`address` says where somebody is who is known by nothing else; `traced` is for each operation of a socket."""

    websocket_adapter_class = Socket  # type: ignore[assignment]
    graphql_transport_ws_handler_class = Handler
    stream_transport_classes_by_protocol: Mapping[str, type[HTTPStreamTransport]] = {GRAPHQL_SSE_PROTOCOL: Events}

    def __init__(
        self, *args: Any, live: Live, address: Callable[[Scope], Hashable], traced: Traced = untraced, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.protocols = (GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL)
        self.connection_init_wait_timeout = INIT
        self.max_subscriptions_per_connection = None  # they are told apart from other refusals by a code of ours
        self.longest = self._allowance.body
        self._live = live
        self._address = address
        self._traced = traced

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            with patient_for(self._allowance.connecting):
                await self._socket(WebSocket(scope, receive, send))
        else:
            await super().__call__(scope, receive, send)

    async def _socket(self, socket: WebSocket) -> None:
        """Until it is said whose it is, a socket takes a place of its address, so that nobody opens any number."""
        with ExitStack() as opening:
            socket.state.opening = opening
            try:
                opening.enter_context(self._live.place(("opening", self._address(socket.scope))))
            except TooManyStreams as refusal:
                answers = Answers(trace=self._trace_id(socket.scope))
                await socket.send_denial_response(answers.one(429, refusal_body(refusal), {"retry-after": "1"}))
                return
            await self.run(socket)

    async def get_context(self, request: Any, response: Any) -> Context:
        """Raises the refusals of a request that must not be executed at all."""
        if isinstance(request, Request):
            context = request.state.context = await self._context_of(request)
            return context
        context = Context(ANONYMOUS, self._pool, self._cursors, logs=self._logs, permit=self._permit)
        context.listening = self._listening(request, ANONYMOUS, None)
        return context

    async def on_ws_connect(self, context: Context) -> dict[str, object]:
        """Who it is, and what they must be able to see. Raises the refusals of a connection."""
        assert context.listening is not None
        connection, params = context.listening.connection, context.connection_params or {}
        header = text_of(params, "authorization") or connection.headers.get("authorization")
        try:
            context.actor = self.actor_of(header)
        finally:
            await self._counted(connection, context.actor, 1)
        context.listening = self._listening(connection, context.actor, header)
        context.listening.places.enter_context(self._live.place(("socket", context.listening.principal)))
        connection.state.opening.close()
        if (token := text_of(params, "consistency-token")) is None:
            return {}
        context.waited = await self._watch.wait(ConsistencyToken.parse(token), self._allowance.waiting)
        return {"consistency": consistency(context.waited)}

    @property
    def most(self) -> int:
        """Streams of one socket: as many as somebody may have."""
        return self._live.most

    @contextmanager
    def operation(self, context: Context) -> Iterator[Answers]:
        """The answers to one operation of a socket, with a trace of its own."""
        assert context.listening is not None
        with self._traced(context.listening.connection.scope) as trace:
            yield Answers(trace=trace)

    async def begun(self, connection: HTTPConnection, actor: Actor, given: Parameters) -> Begun:
        """Counts a stream as it begins by its cost, as a query is. Raises RateLimited."""

        async def pay(units: int) -> int:
            admission = await self._admit(actor, connection.scope, units)
            return admission.retry_after if admission else 0

        await self._counted(connection, actor, 1)
        asked = self._stream_of(given)
        cost = 0 if isinstance(asked, DocumentRefused) else asked.cost
        await self._counted(connection, actor, units(cost) - 1)
        return Begun(asked, Meter(cost, pay))

    def _stream_of(self, given: Parameters) -> Asked | DocumentRefused:
        try:
            text = self._persisted.text(given.query, given.extensions)
            asked = self._documents.ask(text or "", given.operation_name, given.variables)
        except DocumentRefused as refusal:
            return refusal
        except DomainError as refusal:
            return DocumentRefused([error_of(refusal)])
        self._persisted.remember(given.query, given.extensions)
        return asked

    async def _stream(self, request: Request) -> Response:
        return await self.run(request)

    async def _context_of(self, request: Request) -> Context:
        actor = await self._recognised(request)
        try:
            given = await parameters(request)
        except HTTPException:
            await self._counted(request, actor, 1)
            raise
        begun = await self.begun(request, actor, given)
        context = await self._context(request, actor)
        context.begun = begun
        context.listening = self._listening(request, actor, request.headers.get("authorization"))
        context.listening.resume = request.headers.get("last-event-id")
        return context

    def said_first(self, context: Context) -> dict[str, Any]:
        """What is said beside the first answer of a stream; nothing beside the others."""
        begun = context.begun
        if begun is None or begun.said or isinstance(begun.asked, DocumentRefused):
            return {}
        begun.said = True
        return extensions_of(begun.asked, context)

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        answers: Answers = request.state.answers
        response: GraphQLHTTPResponse = {"data": result.data}
        if result.errors:
            response["errors"] = [answers.error(error) for error in result.errors]
        if extensions := self.said_first(request.state.context):
            response["extensions"] = extensions
        return response

    def parse_json(self, data: str | bytes) -> Any:
        return json_object(data, "the body")

    def encode_json(self, data: object) -> bytes:
        return to_json(data)

    def _listening(self, connection: HTTPConnection, actor: Actor, header: str | None) -> Listening:
        def still_good() -> None:
            if header is not None:
                self.actor_of(header)

        principal = actor.id or actor.name or self._address(connection.scope)
        return Listening(self._live, principal, still_good, connection)

    def _stream_result(self, request: Request, result: Any, transport: HTTPStreamTransport) -> AsyncTextStream:
        """With the id of each event, by which a client says how far it has come when it connects again."""
        listening: Listening = request.state.context.listening

        async def stream() -> AsyncGenerator[str, None]:
            value: ExecutionResult
            async for value in results_of(result):
                response = await self.process_result(request, value)
                id = f"id: {listening.cursor}\r\n" if listening.cursor and not value.errors else ""
                yield id + transport.encode_next(response, self.encode_json_string)
            yield transport.encode_complete()

        def heartbeat() -> str:
            return transport.heartbeat_message(self.encode_json_string)

        return merge_stream_with_heartbeat(
            stream, heartbeat, interval=transport.heartbeat_interval, send_initial_heartbeat=False
        )


def text_of(params: Mapping[str, Any], name: str) -> str | None:
    """Of what came with the opening, in whatever case the client writes names."""
    value = next((value for key, value in params.items() if key.lower() == name), None)
    if value is not None and not isinstance(value, str):
        raise Unauthenticated
    return value
