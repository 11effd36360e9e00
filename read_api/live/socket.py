"""Subscriptions over WebSocket by graphql-transport-ws. Errors look as they do over HTTP."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from json import JSONDecodeError
from typing import Any, Final

from graphql import GraphQLError
from pydantic_core import to_json
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, SubscribeMessage
from strawberry.types.graphql import OperationType

from domain.errors import DomainError
from read_api.answers import Answers
from read_api.context import Context
from read_api.errors import TooManyStreams
from read_api.live.results import results_of
from read_api.rate import RateLimited
from read_api.request import Parameters

log = logging.getLogger(__name__)

BAD_REQUEST: Final = 4400
FORBIDDEN: Final = 4403
TOO_MANY: Final = 4429
"""Closing codes of the protocol. The reason is our code of the refusal."""


class Shown(GraphQLError):
    """An error as clients see it."""

    def __init__(self, shown: dict[str, Any]) -> None:
        super().__init__(shown["message"])
        self._shown = shown

    @property
    def formatted(self) -> Any:
        return self._shown


class Socket(ASGIWebSocketAdapter):
    """Text frames with a JSON object each, none longer than a body may be."""

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        view: Any = self.view  # an app with subscriptions
        try:
            while self.ws.application_state != WebSocketState.DISCONNECTED:
                text = await self.ws.receive_text()
                if len(text) > view.longest:
                    await self.close(BAD_REQUEST, f"at most {view.longest} bytes are taken")
                    return
                yield self._object(text)
        except KeyError:
            raise NonTextMessageReceived from None
        except WebSocketDisconnect:
            return

    def _object(self, text: str) -> object:
        try:
            message = self.view.decode_json(text)
        except (JSONDecodeError, RecursionError):
            raise NonJsonMessageReceived from None
        if not isinstance(message, dict):
            raise NonJsonMessageReceived
        return message

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await self.ws.send_text(to_json(message).decode())
        except (WebSocketDisconnect, RuntimeError) as error:  # the other side has gone
            raise WebSocketDisconnected from error


class Handler(BaseGraphQLTransportWSHandler[Context, None]):
    """Takes subscriptions, and nothing else: queries have a request of their own."""

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        try:
            await super().handle_connection_init(message)
        except RateLimited:
            await self.websocket.close(TOO_MANY, "RATE_LIMITED")
        except DomainError as refusal:
            await self.websocket.close(TOO_MANY if isinstance(refusal, TooManyStreams) else FORBIDDEN, refusal.code)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        payload: Any = message["payload"]
        if not sensible(payload):
            await self.handle_invalid_message("a subscription has a query, variables and operationName")
            return
        view: Any = self.view
        if self.connection_acknowledged and len(self.operations) >= view.most:
            with view.operation(self.context) as answers:
                refused = answers.refusal(TooManyStreams(view.most))
            await self.send_message({"id": message["id"], "type": "error", "payload": [refused]})
            return
        await super().handle_subscribe(message)

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        """In a task of its own, so that its trace is nobody else's."""
        view: Any = self.view
        with view.operation(self.context) as answers, suppress(WebSocketDisconnected):
            try:
                await self._run(operation, await self._begun(operation), answers)
            except RateLimited as refusal:
                await operation.send_initial_errors([Shown(answers.refusal(refusal))])
            except WebSocketDisconnected:
                raise
            except Exception as error:
                log.exception("an operation of a socket failed")
                await operation.send_initial_errors([Shown(answers.refusal(error))])
            finally:
                if self.operations.get(operation.id) is operation:
                    self.forget_id(operation.id)

    async def _begun(self, operation: Operation[Context, None]) -> Context:
        """Raises RateLimited."""
        view: Any = self.view
        context = self.context.apart()
        assert context.listening is not None
        given = Parameters(operation.query, operation.operation_name, operation.variables, None)
        context.begun = await view.begun(context.listening.connection, context.actor, given)
        return context

    async def _run(self, operation: Operation[Context, None], context: Context, answers: Answers) -> None:
        results = await self.schema.stream(
            operation.query,
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.operation_name,
            allowed_operation_types=[OperationType.SUBSCRIPTION],
        )
        async with aclosing(self._shown(results, context, answers)) as those:
            await self._send_result_stream(operation, those)
        await operation.send_operation_message({"id": operation.id, "type": "complete"})

    async def _shown(self, results: Any, context: Context, answers: Answers) -> AsyncGenerator[Any, None]:
        view: Any = self.view
        async for result in results_of(results):
            if result.errors:
                result.errors = [Shown(answers.error(error)) for error in result.errors]
            result.extensions = view.said_first(context)
            yield result

    async def shutdown(self) -> None:
        await super().shutdown()
        if self.context.listening is not None:
            self.context.listening.places.close()


def sensible(payload: Any) -> bool:
    """Whether the parts of a subscription are of the types they must be of."""
    if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
        return False
    variables, name = payload.get("variables"), payload.get("operationName")
    return isinstance(variables, dict | None) and isinstance(name, str | None)
