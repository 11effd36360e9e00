"""The sandbox's HTTP: Stripe's API under /v1, and what customers, banks, time and bad luck do under /_."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.gateway.sandbox import api, charges, intents
from infra.gateway.sandbox.looking import rendered
from infra.gateway.sandbox.misfortune import Misfortune, Rule
from infra.gateway.sandbox.refusals import JSON, Refusal
from infra.gateway.sandbox.state import State
from infra.gateway.sandbox.webhooks import Webhooks

PAGE: Final = """<!doctype html><meta charset="utf-8"><title>Sandbox bank</title>
<h1>Sandbox bank</h1><p>{amount} {currency} for {id}: {status}</p>
<form method="post"><button name="outcome" value="succeeded">Pay</button>
<button name="outcome" value="failed">Refuse</button></form>
"""


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rules(Strict):
    rules: list[Rule]


class Advance(Strict):
    seconds: int = Field(ge=0)


class Happening(Strict):
    succeed: bool = True


class Dispute(Strict):
    status: str = Field("needs_response", pattern="^(needs_response|under_review|won|lost)$")


class Address(Strict):
    url: str | None = Field(pattern="^https?://")


@dataclass(slots=True)
class Endpoints:
    """Every answer waits until what it tells of is on the disk."""

    state: State
    misfortune: Misfortune
    webhooks: Webhooks
    doing: set[str] = field(default_factory=set)

    async def stripe(self, request: Request) -> Response:
        if not request.headers.get("authorization", "").startswith(("Bearer ", "Basic ")):
            return JSONResponse({"error": {"type": "invalid_request_error", "message": "No API key provided."}}, 401)
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        body = (await request.body()).decode(errors="replace")
        if key in self.doing:
            return JSONResponse({"error": IN_USE}, 409)
        call = api.Call(
            request.method, request.url.path, request.url.query, body, key, loses=request.scope.get("loses", False)
        )
        return await self._once(call)

    async def _once(self, call: api.Call) -> Response:
        """While it is being written to the disk, the same key again is told that it is in use."""
        if call.key:
            self.doing.add(call.key)
        try:
            reply = api.answer(self.state, call)
            await self._written()
        finally:
            self.doing.discard(call.key or "")
        body = {name: value for name, value in reply.body.items() if not name.startswith("_")}
        return JSONResponse(body, reply.status, api.headers(reply, call.key))

    async def _written(self) -> None:
        await self.state.flush()
        if self.state.unsent:
            self.webhooks.wake()

    async def page(self, request: Request) -> Response:
        intent = intents.find(self.state, request.path_params["id"])
        return HTMLResponse(PAGE.format_map(intent))

    async def act(self, request: Request) -> Response:
        """By the page's form, or as JSON. The customer goes back to the shop then, as from Stripe."""
        intent = intents.find(self.state, request.path_params["id"])
        body = await request.body()
        form = parse_qs(body.decode())
        succeed = form["outcome"] == ["succeeded"] if "outcome" in form else Happening.model_validate_json(body).succeed
        if intent["status"] == "requires_action" and intent["next_action"]["type"] == intents.TRANSFER_ACTION:
            intents.receive(self.state, intent, succeed=succeed)
        else:
            intents.act(self.state, intent, succeed=succeed)
        await self._written()
        return RedirectResponse(back(intent, succeed=succeed), 303) if intent["_return_url"] else self._shown(intent)

    async def receive(self, request: Request) -> Response:
        intent = intents.find(self.state, request.path_params["id"])
        intents.receive(self.state, intent, succeed=Happening.model_validate_json(await request.body()).succeed)
        await self._written()
        return self._shown(intent)

    async def dispute(self, request: Request) -> Response:
        intent = intents.find(self.state, request.path_params["id"])
        if not intent["amount_received"]:
            raise Refusal("Nothing of it is captured: it cannot be charged back.")
        charges.dispute(self.state, intent, Dispute.model_validate_json(await request.body()).status)
        await self._written()
        return self._shown(intent)

    def _shown(self, intent: JSON) -> Response:
        return JSONResponse(rendered(self.state, intent, ["latest_charge.refunds"] if intent["latest_charge"] else []))

    async def clock(self, request: Request) -> Response:
        if request.method == "POST":
            self.state.advance(Advance.model_validate_json(await request.body()).seconds)
            api.settle(self.state)
            await self._written()
        return JSONResponse({"now": self.state.now()})

    async def faults(self, request: Request) -> Response:
        """POST adds rules, DELETE takes all away, GET shows them."""
        if request.method == "POST":
            self.misfortune.add(*Rules.model_validate_json(await request.body()).rules)
        elif request.method == "DELETE":
            self.misfortune.clear()
        standing = self.misfortune.standing
        return JSONResponse({"rules": [{**one.rule.model_dump(mode="json"), "left": one.left} for one in standing]})

    async def address(self, request: Request) -> Response:
        if request.method == "POST":
            self.webhooks.url = Address.model_validate_json(await request.body()).url
            self.webhooks.wake()
        return JSONResponse({"url": self.webhooks.url, "unsent": len(self.state.unsent)})

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "now": self.state.now()})


IN_USE: Final[JSON] = {
    "type": "idempotency_error",
    "code": "idempotency_key_in_use",
    "message": "There is currently another in-progress request using this Idempotent Key.",
}


def back(intent: JSON, *, succeed: bool) -> str:
    url: str = intent["_return_url"]
    added = {
        "payment_intent": intent["id"],
        "payment_intent_client_secret": intent["client_secret"],
        "redirect_status": "succeeded" if succeed else "failed",
    }
    return f"{url}{'&' if '?' in url else '?'}{urlencode(added)}"


async def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    shown = {name: value for name, value in error.error.items() if name != "payment_intent"}
    return JSONResponse({"error": shown}, error.status)


async def malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    complaints = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    return JSONResponse({"error": {"type": "invalid_request_error", "message": "; ".join(complaints)}}, 400)


def made(endpoints: Endpoints) -> Starlette:
    handler: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
        Refusal: refused,
        ValidationError: malformed,
    }
    routes = [
        Route("/v1/{path:path}", endpoints.stripe, methods=["GET", "POST", "DELETE"]),
        Route("/_intents/{id}", endpoints.page, methods=["GET"]),
        Route("/_intents/{id}", endpoints.act, methods=["POST"]),
        Route("/_intents/{id}/money", endpoints.receive, methods=["POST"]),
        Route("/_intents/{id}/dispute", endpoints.dispute, methods=["POST"]),
        Route("/_clock", endpoints.clock, methods=["GET", "POST"]),
        Route("/_faults", endpoints.faults, methods=["GET", "POST", "DELETE"]),
        Route("/_webhooks", endpoints.address, methods=["GET", "POST"]),
        Route("/healthz", endpoints.health, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers=handler)
