"""The part of Stripe's API that the adapter uses: a table of routes, and idempotency keys over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final

from infra.gateway.sandbox import intents, looking, refunds
from infra.gateway.sandbox.charges import let_go
from infra.gateway.sandbox.forms import allow, merged, parsed
from infra.gateway.sandbox.refusals import JSON, Refusal
from infra.gateway.sandbox.state import State

Change = Callable[..., JSON]
INTENTS: Final = "/v1/payment_intents"


def customer(state: State, form: JSON) -> JSON:
    allow(form, "description", "email", "expand", "metadata", "name")
    return state.new("cus", "customer", email=form.get("email"), name=form.get("name"), metadata=merged({}, form))


CREATES: Final[dict[str, Change]] = {
    INTENTS: intents.create,
    "/v1/refunds": refunds.create,
    "/v1/customers": customer,
}
CHANGES: Final[dict[str, Change]] = {
    "confirm": intents.confirm,
    "capture": intents.capture,
    "cancel": intents.cancel,
}
KINDS: Final = {
    "payment_intents": "payment_intent",
    "refunds": "refund",
    "events": "event",
    "disputes": "dispute",
    "charges": "charge",
    "customers": "customer",
}

SERVER_ERROR: Final[JSON] = {"error": {"type": "api_error", "message": "An error occurred on our end."}}


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    query: str
    body: str
    key: str | None
    loses: bool = False  # the answer is replaced by an error, which is kept for the key


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: JSON
    replayed: bool = False


def settle(state: State) -> None:
    """What time has brought: authorisations that expired, refunds that ended."""
    for thing in state.overdue():
        if thing["object"] == "refund":
            refunds.end(state, thing)
        else:
            let_go(state, thing, "automatic")


def answer(state: State, call: Call) -> Reply:
    settle(state)
    try:
        return changed(state, call) if call.method == "POST" else Reply(200, looked(state, call))
    except Refusal as refusal:
        return refused(state, refusal)


def looked(state: State, call: Call) -> JSON:
    form = parsed(call.query)
    if call.path == f"{INTENTS}/search":
        return looking.search(state, form)
    _, _, collection, *rest = call.path.split("/")
    kind = KINDS.get(collection)
    if call.method != "GET" or kind is None or len(rest) > 1:
        raise unknown(call)
    return looking.retrieve(state, kind, rest[0], form) if rest else looking.list_of(state, kind, form)


def unknown(call: Call) -> Refusal:
    message = f"Unrecognized request URL ({call.method}: {call.path}). The sandbox speaks a part of Stripe's API."
    return Refusal(message, status=404)


def changed(state: State, call: Call) -> Reply:
    """Once for each key: the first answer is given again, and another request under it refused."""
    if call.key is None:
        return carried_out(state, call)
    fingerprint = sha256(f"{call.path}\n{sorted(call.body.split('&'))}".encode()).hexdigest()
    if (first := state.answers.get(call.key)) is not None:
        return again(first, fingerprint)
    reply = carried_out(state, call)
    if kept(reply):
        shown = Reply(500, SERVER_ERROR) if call.loses else reply
        kept_answer = {"at": state.now(), "of": fingerprint, "status": shown.status, "body": shown.body}
        state.keep(call.key, kept_answer)
    return reply


def again(first: JSON, fingerprint: str) -> Reply:
    if first["of"] == fingerprint:
        return Reply(first["status"], first["body"], replayed=True)
    message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
    return Reply(400, {"error": {"type": "idempotency_error", "message": message}})


def carried_out(state: State, call: Call) -> Reply:
    form = parsed(call.body)
    try:
        thing = change_of(call)(state, form)
        return Reply(200, looking.rendered(state, thing, form.get("expand", ())))
    except Refusal as refusal:
        return refused(state, refusal)


def change_of(call: Call) -> Change:
    if call.path in CREATES:
        return CREATES[call.path]
    collection, _, rest = call.path.removeprefix("/v1/").partition("/")
    id, _, verb = rest.partition("/")
    if collection != "payment_intents" or verb not in CHANGES:
        raise unknown(call)
    return partial(CHANGES[verb], id=id)


def refused(state: State, refusal: Refusal) -> Reply:
    error: JSON = dict(refusal.error)
    if (intent := error.get("payment_intent")) is not None:
        error["payment_intent"] = looking.rendered(state, intent)
    return Reply(refusal.status, {"error": error} | ({"_kept": True} if refusal.kept else {}))


def kept(reply: Reply) -> bool:
    """Whether the answer belongs to the key; what was wrong with the parameters does not."""
    return bool(reply.status == 200 or reply.body.pop("_kept", False))


def headers(reply: Reply, key: str | None) -> Mapping[str, str]:
    given: dict[str, Any] = {"idempotency-key": key} if key else {}
    return given | ({"idempotent-replayed": "true"} if reply.replayed else {})
