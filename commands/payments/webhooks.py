"""Webhooks: what a gateway tells us by itself. Outside the table of commands, as its signature says who sends it.

What is well signed is kept, once, with the outcomes it tells; only then is it answered, so that what we did not keep
is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from commands.codes import GATEWAY_SILENT, WEBHOOK_MALFORMED, WEBHOOK_NOT_SIGNED, WEBHOOK_TOO_OLD, Sort
from commands.exchange import Gone, Request, Response, problem_response
from commands.http import BODY_LIMIT, NO_STORE, problem_of
from commands.payments.gateway import Gateway, Hook, HookKind, HookRefused, RateLimited, Unknown
from commands.payments.messages import ReceiveHook
from commands.problems import Problem
from commands.raw import RawPost
from commands.reply import Envelope
from commands.services import Loop, utc_now
from commands.table import not_allowed
from commands.trace import ROUTE
from domain.actor import service
from domain.errors import NotFound
from domain.payments.webhook import WebhookStatus, webhook_of

PREFIX: Final = "/v1/webhooks/"
POST: Final = RawPost(
    PREFIX + "{gateway}",
    "receiveWebhook",
    "What a payment gateway tells by itself, signed by it",
    parameter="the gateway's name",
    statuses=(400, 404, 405, 413, 503),
)
BY: Final = service("webhook")

REFUSED: Final[Mapping[str, Sort]] = {
    "SIGNATURE": WEBHOOK_NOT_SIGNED,
    "TOO_OLD": WEBHOOK_TOO_OLD,
    "MALFORMED": WEBHOOK_MALFORMED,
}

Count = Callable[[str, str], None]
"""Of a gateway, what became of a webhook: received, duplicate, unmatched, other, or why it was refused."""


class Webhooks(BaseRoute):
    """`gateways` by name; `payments` is the write loop of that context."""

    def __init__(
        self,
        gateways: Mapping[str, Gateway],
        payments: Loop,
        count: Count,
        *,
        now: Callable[[], datetime] = utc_now,
        body_limit: int = BODY_LIMIT,
    ) -> None:
        self._gateways = gateways
        self._payments = payments
        self._count = count
        self._now = now
        self._body_limit = body_limit

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        mine = scope["type"] == "http" and scope["path"].startswith(PREFIX)
        return (Match.FULL if mine else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Gone:
            return
        except Exception as error:  # noqa: BLE001  the edge: whatever happened, the gateway gets a problem
            response = problem_response(problem_of(error, request.trace), request.trace)
        await response.send(send, request.trace)

    async def _answer(self, request: Request) -> Response:
        request.scope[ROUTE] = POST.path
        name = request.path.removeprefix(PREFIX)
        gateway = self._gateways.get(name)
        if gateway is None:
            raise NotFound("gateway", name[:100])
        if request.method != "POST":
            raise not_allowed(request.method, ["POST"])
        hook = self._parsed(gateway, await request.body(self._body_limit), request)
        if hook.kind is HookKind.OTHER:
            self._count(gateway.name, "other")
        else:
            await self._received(gateway, hook, request)
        return Response(200, b"{}", [NO_STORE])

    def _parsed(self, gateway: Gateway, body: bytes, request: Request) -> Hook:
        try:
            return gateway.parse(body, request.headers, self._now())
        except HookRefused as refusal:
            self._count(gateway.name, f"refused_{refusal.code.lower()}")
            raise Problem(REFUSED[refusal.code], str(refusal)) from None

    async def _received(self, gateway: Gateway, hook: Hook, request: Request) -> None:
        """Raises Problem, Overloaded, OutcomeUnknown, Unavailable: then it is sent again."""
        command = ReceiveHook(gateway=gateway.name, hook=await whole(gateway, hook))
        command.bind(by=BY, target=webhook_of(gateway.name, hook.id))
        trace = request.trace
        reply = await self._payments.submit(Envelope(command, trace.correlation_id, traceparent=trace.traceparent))
        status = reply.result().status
        if not reply.positions:
            self._count(gateway.name, "duplicate")
        else:
            self._count(gateway.name, "unmatched" if status == WebhookStatus.UNMATCHED.name else "received")


async def whole(gateway: Gateway, hook: Hook) -> Hook:
    """With the attempt it is about, asked for where the message does not hold it."""
    if hook.intent is not None or hook.reference is None:
        return hook
    found = await gateway.get(hook.reference)
    if isinstance(found, Unknown | RateLimited):
        raise Problem(GATEWAY_SILENT, f"{gateway.name} does not answer at present", headers={"retry-after": "10"})
    return replace(hook, intent=found)
